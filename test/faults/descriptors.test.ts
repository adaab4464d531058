/** EDGE-45: a process that has all the files open that it may. Left out where there is no `prlimit`. */
import { once } from 'node:events'
import fs from 'node:fs/promises'
import http, { type IncomingMessage } from 'node:http'
import net from 'node:net'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { FileStore } from '../../plugin/index.ts'
import { OFFSET_OCTET_STREAM, temporaryDirectory, until } from '../helper.ts'
import { isClear, strays, withPrlimit } from './refusals.ts'
import { startServer } from './server-process.ts'

/** Node.js itself would raise a soft limit, so it is a hard one. */
const LIMIT = 120

/** A server with few descriptors. */
async function start (t: Test, directory: string) {
  const limit = ['env', 'KEEP_ALIVE_MS=60000', 'prlimit', `--nofile=${LIMIT}:${LIMIT}`]
  const { url, child, stop } = await startServer(t, { directory, idleTimeout: 0 }, limit)
  const { hostname, port } = new URL(url)
  const descriptors = `/proc/${child.pid}/fd`
  const all: net.Socket[] = []
  t.teardown(() => { for (const socket of all) socket.destroy() })
  const connect = async () => {
    const socket = net.connect(Number(port), hostname).on('error', () => {})
    await once(socket, 'connect')
    all.push(socket)
    return socket
  }
  const waiting: net.Socket[] = []
  const idle: net.Socket[] = []

  /** Opens connections for requests to come: one that is made later gets no descriptor. */
  async function reserve (connections: number): Promise<void> {
    while (waiting.length < connections) waiting.push(await connect())
  }
  async function ask (method: string, target: string, headers: Record<string, string> = {}, body = '') {
    const socket = waiting.shift() ?? await connect()
    const framed = { 'tus-resumable': '1.0.0', connection: 'keep-alive', 'content-length': String(body.length) }
    const request = http.request({
      createConnection: () => socket,
      method,
      path: target,
      headers: { ...framed, ...headers }
    })
    request.end(body)
    const [response] = await once(request, 'response') as [IncomingMessage]
    const answer = { statusCode: Number(response.statusCode), headers: response.headers, body: await text(response) }
    // What closes behind its answer must have closed before the next `fill`.
    if (answer.headers.connection === 'close') await until(async () => await taken() < LIMIT)
    return answer
  }
  // The limit is one of their numbers: what was inherited may be above it, and takes nobody's place.
  async function taken (): Promise<number> {
    return (await fs.readdir(descriptors)).filter((number) => Number(number) < LIMIT).length
  }
  /** Idle connections take every descriptor that is left. */
  async function fill (): Promise<void> {
    while (await taken() < LIMIT) idle.push(await connect())
  }
  /** Gives some of those back that `fill` took. */
  async function free (most: number): Promise<void> {
    for (const socket of idle.filter(({ closed }) => !closed).slice(0, most)) {
      socket.destroy()
      await once(socket, 'close')
    }
  }
  async function isOpen (location: string): Promise<boolean> {
    const file = path.join(directory, path.basename(location))
    for (const number of await fs.readdir(descriptors)) {
      if (await fs.readlink(path.join(descriptors, number)).catch(() => '') === file) return true
    }
    return false
  }
  const create = async () => (await ask('POST', '/files', { 'upload-length': '6' })).headers.location as string
  const patch = (location: string, offset: number, body: string) =>
    ask('PATCH', location, { 'content-type': OFFSET_OCTET_STREAM, 'upload-offset': String(offset) }, body)
  const stored = (location: string) => fs.readFile(path.join(directory, path.basename(location)), 'utf8')
  return { stop, ask, create, patch, stored, reserve, fill, free, isOpen }
}

/** An upload of an earlier process, of which the next one knows nothing. */
async function earlier (directory: string, id: string, bytes: string): Promise<string> {
  const store = new FileStore({ directory })
  const append = await store.openAppend(await store.create({ id, size: 6, offset: 0 }))
  await append.write([Buffer.from(bytes)], bytes.length)
  await append.commit()
  return `/files/${id}`
}

t.test('EDGE-45 a process without a free descriptor answers 503, and HEAD never 5xx', withPrlimit, async (t) => {
  const directory = await temporaryDirectory(t)
  const unknown = await earlier(directory, 'unknown', 'abc')
  const whole = await earlier(directory, 'whole', 'abcdef')
  const { stop, ask, create, patch, stored, reserve, fill, free, isOpen } = await start(t, directory)
  const known = await create()
  t.equal((await patch(known, 0, 'abcd')).statusCode, 204)
  // Its file is kept for the next append for a moment.
  await until(async () => !await isOpen(known))
  await reserve(6)

  for (const request of [
    () => ask('POST', '/files', { 'upload-length': '6' }),
    () => ask('GET', whole),
    () => patch(unknown, 3, 'def'),
    () => patch(known, 4, 'ef')
  ]) {
    await fill()
    const refused = await request()
    isClear(t, refused, 'FST_TUS_STORE_UNAVAILABLE', 503)
    t.equal(refused.headers['retry-after'], '1')
  }
  await fill()
  t.match(await ask('HEAD', unknown), { statusCode: 423, headers: { 'retry-after': '1' } }, 'not known is not gone')
  await fill()
  t.match(await ask('HEAD', known), { statusCode: 200, headers: { 'upload-offset': '4' } }, 'its record is at hand')
  t.same(await strays(directory, [known, unknown, whole]), [], 'nothing half-made is left')

  await free(LIMIT)
  for (const [location, offset] of [[known, 4], [unknown, 3]] as const) {
    t.match(await ask('HEAD', location), { statusCode: 200, headers: { 'upload-offset': String(offset) } })
    t.equal((await patch(location, offset, 'abcdef'.slice(offset))).statusCode, 204)
    t.equal(await stored(location), 'abcdef')
  }
  t.equal((await ask('GET', whole)).body, 'abcdef')
  t.equal((await ask('POST', '/files', { 'upload-length': '6' })).statusCode, 201)
  t.equal(await stop(), 0)
})

t.test('EDGE-45 a kept file goes on without a free descriptor, and makes room for others', withPrlimit, async (t) => {
  const directory = await temporaryDirectory(t)
  const unknown = await earlier(directory, 'unknown', 'abc')
  const whole = await earlier(directory, 'whole', 'abcdef')
  const { stop, ask, create, patch, stored, reserve, fill, free } = await start(t, directory)
  const made: string[] = []
  // It is kept for two seconds; where a machine takes longer for this, once more.
  for (const request of [() => ask('HEAD', unknown), () => ask('GET', whole)]) {
    await until(async () => {
      await reserve(3)
      const location = await create()
      made.push(location)
      await fill()
      const patched = await patch(location, 0, 'abc')
      await fill()
      const asked = await request()
      await free(LIMIT)
      return patched.statusCode === 204 && asked.statusCode === 200
    })
  }
  const last = made.at(-1) as string
  t.equal((await patch(last, 3, 'def')).statusCode, 204)
  t.equal(await stored(last), 'abcdef')
  t.same(await strays(directory, [unknown, whole, ...made]), [])
  t.equal(await stop(), 0)
})
