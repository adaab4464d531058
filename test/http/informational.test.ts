import { once } from 'node:events'
import http from 'node:http'
import type { ServerResponse } from 'node:http'
import http2 from 'node:http2'
import net from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'
import Fastify from 'fastify'
import t from 'tap'
import type { Test } from 'tap'
import { sendInterim } from '../../plugin/http/informational.ts'
import { until } from '../helper.ts'

const headers = { 'x-a': '1' }

interface Seen { request: FastifyRequest, reply: FastifyReply, sent: unknown[] }

/** An app that sends an interim response before and after its final one. */
async function listen (t: Test, options: object, seen: Seen[] = []): Promise<string> {
  const app = Fastify(options)
  t.teardown(() => app.close())
  app.get('/', async (request, reply) => {
    const sent = [sendInterim(request, reply, 104, headers)]
    seen.push({ request, reply, sent })
    await reply.send('end')
    sent.push(sendInterim(request, reply, 104, headers))
    return reply
  })
  return await app.listen({ port: 0, host: '127.0.0.1' })
}

/** What a server sends for these requests, until it has sent the end of each response. */
async function raw (t: Test, url: string, ...requests: string[]): Promise<string> {
  const socket = net.connect(Number(new URL(url).port), '127.0.0.1')
  t.teardown(() => socket.destroy())
  let received = ''
  socket.on('data', (data) => { received += String(data) })
  socket.write(requests.join(''))
  await until(() => received.split('\r\n\r\nend').length > requests.length)
  return received
}

t.test('an interim response comes before the final one, and never after it', async (t) => {
  const seen: Seen[] = []
  const url = await listen(t, {}, seen)
  const text = await raw(t, url, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  t.match(text, /^HTTP\/1\.1 104 [a-z]*\r\nx-a: 1\r\n\r\nHTTP\/1\.1 200 OK\r\n/)
  t.equal(text.match(/HTTP\/1\.1 104 /g)?.length, 2, 'also for a request behind another one')
  t.same(seen.map(({ sent }) => sent), [[true, false], [true, false]])
})

t.test('a client of HTTP/1.0 gets none', async (t) => {
  t.match(await raw(t, await listen(t, {}), 'GET / HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 200 OK/)
})

t.test('a client of HTTP/2 gets it too, unless its stream is closed', async (t) => {
  const seen: Seen[] = []
  const session = http2.connect(await listen(t, { http2: true }, seen))
  t.teardown(() => session.destroy())
  const stream = session.request({ ':path': '/' })
  const [interim] = await once(stream, 'headers') as [http2.IncomingHttpHeaders & { ':status': number }]
  t.match(interim, { ':status': 104, 'x-a': '1' })
  await once(stream.resume(), 'close')
  const [{ request }] = seen as [Seen]
  const unsent = { raw: { headersSent: false } } as FastifyReply
  await until(() => (request.raw as unknown as { stream: http2.ServerHttp2Stream }).stream.closed)
  t.notOk(sendInterim(request, unsent, 104, headers))
})

/** A reply of which only what `sendInterim` uses exists: Node.js has one of the two methods, or none. */
function reply (response: object): { reply: FastifyReply, request: FastifyRequest } {
  const request = { raw: new http.IncomingMessage(new net.Socket()) } as FastifyRequest
  request.raw.httpVersion = '1.1'
  return { request, reply: { raw: response as ServerResponse } as unknown as FastifyReply }
}

t.test('each version of Node.js has its method', async (t) => {
  const calls: unknown[] = []
  const newer = reply({ writeInformation: (...args: unknown[]) => calls.push(args), _writeRaw: t.fail })
  t.ok(sendInterim(newer.request, newer.reply, 104, headers))
  const older = reply({ _writeRaw: (...args: unknown[]) => calls.push(args) })
  t.ok(sendInterim(older.request, older.reply, 104, headers))
  t.same(calls, [[104, headers], ['HTTP/1.1 104 \r\nx-a: 1\r\n\r\n', 'latin1']])
  const other = reply({})
  t.notOk(sendInterim(other.request, other.reply, 104, headers))
})

t.test('a client that does not read, or is gone, gets none', async (t) => {
  for (const state of ['headersSent', 'destroyed', 'writableNeedDrain']) {
    const { request, reply: raw } = reply({ [state]: true, _writeRaw: t.fail })
    t.notOk(sendInterim(request, raw, 104, headers))
  }
})

t.test('a value cannot add a header', async (t) => {
  const { request, reply: raw } = reply({ _writeRaw: t.fail })
  t.throws(() => sendInterim(request, raw, 104, { location: '/a\r\nx: y' }), { code: 'ERR_INVALID_CHAR' })
})
