/** EDGE-45: a process that has reached its limit of open files. Skipped without `prlimit`. */
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

/** A hard limit, because Node.js raises a soft one. */
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

  /** Opens connections for later requests: a connection opened later gets no descriptor. */
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
    const reply = { statusCode: Number(response.statusCode), headers: response.headers, body: await text(response) }
    // A connection that closes after its response must have closed before the next `fill`.
    if (reply.headers.connection === 'close') await until(async () => await taken() < LIMIT)
    return reply
  }
  // The limit applies to descriptor numbers: inherited ones may be above it and use no slot.
  async function taken (): Promise<number> {
    return (await fs.readdir(descriptors)).filter((number) => Number(number) < LIMIT).length
  }
  /** Idle connections take every descriptor that is left. */
  async function fill (): Promise<void> {
    while (await taken() < LIMIT) idle.push(await connect())
  }
  /** Closes some of the connections that `fill` opened. */
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

/** An upload of an earlier process, unknown to the next one. */
async function earlier (directory: string, id: string, bytes: string): Promise<string> {
  const store = new FileStore({ directory })
  const append = await store.openAppend(await store.create({ id, size: 6, offset: 0 }))
  await append.write([Buffer.from(bytes)], bytes.length)
  await append.commit()
  return `/files/${id}`
}

t.test('EDGE-45 without a free descriptor, the status is 503, and HEAD is never 5xx', withPrlimit, async (t) => {
  const directory = await temporaryDirectory(t)
  const unknown = await earlier(directory, 'unknown', 'abc')
  const complete = await earlier(directory, 'complete', 'abcdef')
  const { stop, ask, create, patch, stored, reserve, fill, free, isOpen } = await start(t, directory)
  const known = await create()
  t.equal((await patch(known, 0, 'abcd')).statusCode, 204)
  // Its file stays open for the next append for a moment.
  await until(async () => !await isOpen(known))
  await reserve(6)

  for (const request of [
    () => ask('POST', '/files', { 'upload-length': '6' }),
    () => ask('GET', complete),
    () => patch(unknown, 3, 'def'),
    () => patch(known, 4, 'ef')
  ]) {
    await fill()
    const refused = await request()
    isClear(t, refused, 'FST_TUS_STORE_UNAVAILABLE', 503)
    t.equal(refused.headers['retry-after'], '1')
  }
  await fill()
  t.match(await ask('HEAD', unknown), { statusCode: 423, headers: { 'retry-after': '1' } }, 'unreadable is not gone')
  await fill()
  t.match(await ask('HEAD', known), { statusCode: 200, headers: { 'upload-offset': '4' } }, 'its record is cached')
  t.same(await strays(directory, [known, unknown, complete]), [], 'no incomplete files are left')

  await free(LIMIT)
  for (const [location, offset] of [[known, 4], [unknown, 3]] as const) {
    t.match(await ask('HEAD', location), { statusCode: 200, headers: { 'upload-offset': String(offset) } })
    t.equal((await patch(location, offset, 'abcdef'.slice(offset))).statusCode, 204)
    t.equal(await stored(location), 'abcdef')
  }
  t.equal((await ask('GET', complete)).body, 'abcdef')
  t.equal((await ask('POST', '/files', { 'upload-length': '6' })).statusCode, 201)
  t.equal(await stop(), 0)
})

t.test('EDGE-45 a cached file is usable without a free descriptor, and closed to free one', withPrlimit, async (t) => {
  const directory = await temporaryDirectory(t)
  const unknown = await earlier(directory, 'unknown', 'abc')
  const complete = await earlier(directory, 'complete', 'abcdef')
  const { stop, ask, create, patch, stored, reserve, fill, free } = await start(t, directory)
  const made: string[] = []
  // It stays open for two seconds; a slow machine needs another try.
  for (const request of [() => ask('HEAD', unknown), () => ask('GET', complete)]) {
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
  t.same(await strays(directory, [unknown, complete, ...made]), [])
  t.equal(await stop(), 0)
})
