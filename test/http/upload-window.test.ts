import { once } from 'node:events'
import http2 from 'node:http2'
import t from 'tap'
import type { Test } from 'tap'
import { raiseUploadWindow } from '../../plugin/http/upload-window.ts'
import type { FastifyTusOptions } from '../../plugin/index.ts'
import { build, OFFSET_OCTET_STREAM, sampleBytes, until } from '../helper.ts'
import type { Built } from '../helper.ts'

const MiB = 1024 * 1024
const NODE_WINDOW = 65_535

async function connect (t: Test, { listen }: Built): Promise<http2.ClientHttp2Session> {
  const session = http2.connect(await listen())
  t.teardown(() => session.destroy())
  await once(session, 'remoteSettings')
  return session
}

function patch (session: http2.ClientHttp2Session, location: string): http2.ClientHttp2Stream {
  return session.request({
    ':method': 'PATCH',
    ':path': location,
    'tus-resumable': '1.0.0',
    'upload-offset': '0',
    'content-type': OFFSET_OCTET_STREAM
  })
}

async function statusOf (stream: http2.ClientHttp2Stream): Promise<number> {
  const [headers] = await once(stream.resume(), 'response') as [Record<string, number>]
  return headers[':status'] as number
}

t.test('RFC 9113, 5.2: the first body of an HTTP/2 connection raises its windows, bounded', async (t) => {
  const app = await build(t, {}, { http2: true } as never)
  const session = await connect(t, app)
  const bytes = sampleBytes(3 * MiB)
  const location = await app.create(bytes.length)
  t.equal(session.remoteSettings.initialWindowSize, NODE_WINDOW)
  const stream = patch(session, location)
  stream.write(bytes.subarray(0, 10))
  const [settings] = await once(session, 'remoteSettings') as [http2.Settings]
  t.match(settings, { initialWindowSize: MiB, maxConcurrentStreams: 100 })
  await until(() => Number(session.state.remoteWindowSize) > 15 * MiB)
  stream.end(bytes.subarray(10))
  t.equal(await statusOf(stream), 204)
  t.ok((await app.stored(location)).equals(bytes))

  let again = 0
  session.on('remoteSettings', () => { again++ })
  const second = patch(session, await app.create(3))
  second.end('abc')
  t.equal(await statusOf(second), 204)
  t.equal(again, 0, 'once for each connection')
})

t.test('a body that the server does not read occupies no more than the window', async (t) => {
  let release = () => {}
  const isReleased = new Promise<void>((resolve) => { release = resolve })
  let isHeld = false
  const hooks: FastifyTusOptions = {
    async authorize (_request, { action }) {
      if (action === 'append' && isHeld) await isReleased
    }
  }
  const app = await build(t, hooks, { http2: true } as never)
  const session = await connect(t, app)
  const first = patch(session, await app.create(3))
  first.end('abc')
  t.equal(await statusOf(first), 204)
  await until(() => session.remoteSettings.initialWindowSize === MiB)
  isHeld = true
  const bytes = sampleBytes(3 * MiB)
  const location = await app.create(bytes.length)
  const stream = patch(session, location)
  stream.end(bytes)
  // The window of the stream is used up, and that of the connection is not.
  await until(() => stream.state.localWindowSize === 0)
  t.ok(Number(session.state.remoteWindowSize) > 14 * MiB)
  release()
  t.equal(await statusOf(stream), 204)
  t.ok((await app.stored(location)).equals(bytes))
})

t.test('connections without a body keep the windows of Node.js', async (t) => {
  const app = await build(t, {}, { http2: true } as never)
  const location = await app.create(3)
  const session = await connect(t, app)
  const head = session.request({ ':method': 'HEAD', ':path': location, 'tus-resumable': '1.0.0' })
  t.equal(await statusOf(head), 200)
  const refused = patch(session, '/files/none')
  refused.end('abc')
  t.equal(await statusOf(refused), 404)
  t.equal(session.remoteSettings.initialWindowSize, NODE_WINDOW)
})

t.test('larger windows and fewer streams of the app stay, also if the app creates the server', async (t) => {
  for (const [settings, raised] of [
    [{ initialWindowSize: 4 * MiB, maxConcurrentStreams: 1000 }, {}],
    [{ maxConcurrentStreams: 10 }, { initialWindowSize: MiB }]
  ] as Array<[settings: http2.Settings, raised: http2.Settings]>) {
    const expected = { ...settings, ...raised }
    const serverFactory = (handler: never) => {
      const server = http2.createServer({ settings }, handler)
      server.on('session', (session) => session.setLocalWindowSize(32 * MiB))
      return server
    }
    const app = await build(t, {}, { http2: true, serverFactory } as never)
    const session = await connect(t, app)
    const location = await app.create(3)
    const stream = patch(session, location)
    stream.end('abc')
    t.equal(await statusOf(stream), 204)
    await until(() => session.remoteSettings.initialWindowSize === expected.initialWindowSize)
    t.match(session.remoteSettings, expected)
    t.ok(Number(session.state.remoteWindowSize) > 31 * MiB)
  }
})

t.test('a body that comes before the client has acknowledged settings raises the windows, too', async (t) => {
  const app = await build(t, {}, { http2: true } as never)
  const location = await app.create(3)
  const session = http2.connect(await app.listen())
  t.teardown(() => session.destroy())
  const stream = patch(session, location)
  stream.end('abc')
  t.equal(await statusOf(stream), 204)
  await until(() => session.remoteSettings.initialWindowSize === MiB)
})

t.test('a request whose stream is gone raises nothing', async (t) => {
  t.doesNotThrow(() => raiseUploadWindow({ raw: { stream: { session: undefined } } } as never))
})
