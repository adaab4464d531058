/** Clients that request downloads and do not read the responses. */
import { once } from 'node:events'
import http2 from 'node:http2'
import net from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import type { Test } from 'tap'
import { waitForTurn } from '../../plugin/http/turns.ts'
import { build, sampleBytes, temporaryDirectory, until } from '../helper.ts'
import type { Built } from '../helper.ts'
import { finished } from '../download/files.ts'
import { CountingStore } from '../download/growing-rig.ts'

/** The limit of downloads of one connection. */
const MAX = 100

async function setUp (t: Test, options = {}): Promise<Built & { store: CountingStore }> {
  const store = new CountingStore({ directory: await temporaryDirectory(t) })
  const built = await build(t, { datastore: store, download: { growing: true } }, options)
  return { ...built, store }
}

const get = (url: string, headers = '') => `GET ${url} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`
const RANGE = 'Range: bytes=1-2\r\n'
const EVENTS = 'Accept: text/event-stream\r\n'

/** Sends requests at once, and waits until the app has got all of them. */
async function pipeline (
  t: Test, built: Built, requests: string[]
): Promise<{ socket: net.Socket, text: () => string }> {
  const incoming = () => built.logs.filter(({ msg }) => msg === 'incoming request').length
  const before = incoming()
  const { hostname, port } = new URL(await built.listen())
  const socket = net.connect(Number(port), hostname)
  t.teardown(() => socket.destroy())
  let text = ''
  socket.on('data', (data) => { text += data.toString('latin1') })
  socket.write(requests.join(''))
  await until(() => incoming() === before + requests.length)
  await wait(50)
  return { socket, text: () => text }
}

const statusesIn = (text: string) => [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status))

t.test('a pipelined download is not read before its turn, and a connection has a limited number of them', async (t) => {
  const built = await setUp(t)
  const open = await built.create(6)
  const url = await finished(built, 'abcdef')
  built.store.reads = 0
  const others = Array.from({ length: 149 }, (_, i) => get(url, i % 2 === 0 ? RANGE : ''))
  const { socket, text } = await pipeline(t, built, [get(open), ...others])
  t.equal(built.store.reads, 0, 'the first response is still being sent')
  t.same(statusesIn(text()), [200])

  await built.patch(open, 0, 'ghijkl')
  await until(() => statusesIn(text()).length === 150)
  const expected = Array.from({ length: 149 }, (_, i) => i < MAX - 1 ? 200 + 6 * Number(i % 2 === 0) : 503)
  t.same(statusesIn(text()), [200, ...expected])
  t.match(text(), /FST_TUS_TOO_MANY_DOWNLOADS/)
  const ranges = text().match(/\r\n\r\nbcHTTP/g) ?? []
  t.equal(ranges.length, 50, 'the bytes are in place')

  const rest = text().length
  socket.write(get(url))
  await until(() => text().length > rest)
  t.same(statusesIn(text().slice(rest)), [200], 'finished downloads no longer count')
})

t.test('downloads whose connection closes before their turn leave nothing behind', async (t) => {
  const built = await setUp(t)
  const open = await built.create(6)
  const url = await finished(built, 'abcdef')
  built.store.reads = 0
  const queued = [get(url), get(url, RANGE), get(open), get(open, EVENTS)]
  const { socket } = await pipeline(t, built, [get(open), ...queued, ...queued, ...queued, ...queued])
  socket.destroy()
  await wait(50)
  await built.patch(open, 0, 'ghijkl')
  await wait(100)
  t.equal(built.store.reads, 0, 'nothing is opened for them')
  t.same(built.logs.filter(({ level }) => level >= 40), [])
})

t.test('over HTTP/2, a client that reads nothing gets a limited number of downloads', async (t) => {
  const bytes = sampleBytes(200_000)
  const built = await setUp(t, { http2: true })
  const url = await finished(built, bytes)
  built.store.reads = 0
  const session = http2.connect(await built.listen(), { settings: { initialWindowSize: 0 } })
  t.teardown(() => session.destroy())
  await once(session, 'remoteSettings')
  const statuses: unknown[] = []
  const streams = Array.from({ length: 300 }, () => {
    const stream = session.request({ ':path': url, range: 'bytes=0-199998' })
    stream.on('response', (headers) => statuses.push(headers[':status']))
    stream.on('error', ({ message }) => statuses.push(/NGHTTP2_REFUSED_STREAM/.exec(message)?.[0]))
    return stream
  })
  await until(() => statuses.length === 300)
  t.equal(statuses.filter((status) => status === 206).length, MAX)
  // Node.js refuses those that arrive after the limit is set.
  const others = new Set(statuses.filter((status) => status !== 206))
  t.same([...others].filter((status) => status !== 503 && status !== 'NGHTTP2_REFUSED_STREAM'), [])
  t.equal(built.store.reads, MAX)
  t.equal(session.remoteSettings.maxConcurrentStreams, 100, 'further requests wait in the client')

  const closed = streams.map(async (stream) => {
    if (!stream.resume().destroyed) await once(stream, 'close')
  })
  session.settings({ initialWindowSize: 1024 * 1024 })
  await Promise.all(closed)
  const [headers] = await once(session.request({ ':path': url }), 'response') as [Record<string, number>]
  t.equal(headers[':status'], 200, 'finished downloads no longer count')
})

t.test('a download whose connection is gone has no turn', async (t) => {
  t.notOk(await waitForTurn({ raw: { stream: { session: undefined } } } as never, { raw: {} } as never))
  t.notOk(await waitForTurn({ raw: { socket: { destroyed: true } } } as never, { raw: {} } as never))
})
