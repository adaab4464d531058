/** Downloads that take many reads, whose buffers are reused. */
import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import { Readable, Transform } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { createGzip, gunzipSync } from 'node:zlib'
import type { FastifyInstance, FastifyReply } from 'fastify'
import t, { type Test } from 'tap'
import { FileStore } from '../../plugin/index.ts'
import { fileSystem, type OpenFile } from '../../plugin/stores/file/file-system/file-system.ts'
import { build, sampleBytes, sha256, temporaryDirectory, until } from '../helper.ts'
import { finished } from './files.ts'

const KIB = 1024
const MIB = 1024 * KIB
/** Long enough for large pieces. */
const BYTES = sampleBytes(8 * MIB + 5)

/** An app with one upload, and the files and buffers that it reads. */
async function rig (
  t: Test, fastifyOptions = {}, prepare: (app: FastifyInstance) => void = () => {}, bytes: Buffer = BYTES
) {
  const files = { open: 0, reads: 0, buffers: new Set<unknown>() }
  const open = async (...[name, flags]: Parameters<typeof fileSystem.open>): Promise<OpenFile> => {
    const file = await fileSystem.open(name, flags)
    files.open++
    return Object.assign(Object.create(file) as OpenFile, {
      writev: (buffers: Buffer[], position: number) => file.writev(buffers, position),
      truncate: (length: number) => file.truncate(length),
      datasync: () => file.datasync(),
      read: async (buffer: Buffer, position: number) => {
        files.reads++
        files.buffers.add(buffer.buffer)
        return await file.read(buffer, position)
      },
      close: async () => {
        await file.close()
        files.open--
      }
    })
  }
  const datastore = new FileStore({ directory: await temporaryDirectory(t), fs: { ...fileSystem, open } })
  const built = await build(t, { datastore }, fastifyOptions, prepare)
  const url = await finished(built, bytes)
  await until(() => files.open === 0)
  files.reads = 0
  files.buffers.clear()
  return { files, url, base: await built.listen() }
}

/** TLS without certificates. */
const KEY = Buffer.alloc(32, 1)
const server = { ciphers: 'PSK', maxVersion: 'TLSv1.2', pskCallback: () => KEY } as const
const client = {
  ...server, checkServerIdentity: () => undefined, pskCallback: () => ({ psk: KEY, identity: 'a' })
} as const

type Get = (base: string, path: string, headers?: http.OutgoingHttpHeaders) => Promise<Readable>

const get1: Get = async (base, path, headers = {}) => {
  const request = base.startsWith('https')
    ? https.get(`${base}${path}`, { ...client, headers, agent: false } as https.RequestOptions)
    : http.get(`${base}${path}`, { headers, agent: false })
  const [response] = await once(request, 'response') as [http.IncomingMessage]
  return response
}

const get2: Get = async (base, path, headers = {}) => {
  const session = http2.connect(base, base.startsWith('https') ? client as http2.SecureClientSessionOptions : {})
  const stream = session.request({ ':path': path, ...headers })
  stream.once('close', () => session.close())
  await once(stream, 'response')
  return stream
}

/** All bytes of a response, by a reader that lets the server wait. */
async function slowly (response: Readable): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of response as AsyncIterable<Buffer>) {
    pieces.push(piece)
    await setImmediate()
  }
  return Buffer.concat(pieces)
}

const isSame = (t: Test, bytes: Buffer, expected: Buffer, message = 'the same bytes') =>
  t.equal(sha256(bytes), sha256(expected), message)

const transports: Array<[name: string, options: object, get: Get]> = [
  ['HTTP/1.1', {}, get1],
  ['HTTP/1.1 over TLS', { https: server }, get1],
  ['HTTP/2', { http2: true }, get2],
  ['HTTP/2 over TLS', { http2: true, https: server }, get2]
]
for (const [name, options, get] of transports) {
  t.test(`${name}: the bytes are right, and read into few buffers`, async (t) => {
    const { files, base, url } = await rig(t, options)
    const responses = [await get(base, url), await get(base, url, { range: 'bytes=3-8000000' })] as const
    const [whole, range] = await Promise.all(responses.map(slowly)) as [Buffer, Buffer]
    isSame(t, whole, BYTES)
    isSame(t, range, BYTES.subarray(3, 8_000_001))
    // The first piece, the other small ones, the large ones, and what follows a piece that was too small to wait for.
    t.ok(files.buffers.size <= 10, `${files.buffers.size} buffers for ${files.reads} reads`)
    t.ok(files.reads > 100)
    await until(() => files.open === 0)
  })

  t.test(`${name}: the file of a reader that leaves is closed`, async (t) => {
    const { files, base, url } = await rig(t, options)
    const response = await get(base, url)
    await once(response, 'readable')
    if ('close' in response) (response as http2.ClientHttp2Stream).close(http2.constants.NGHTTP2_CANCEL)
    else response.destroy()
    await until(() => files.open === 0)
  })
}

type Hook = (reply: FastifyReply, payload: Readable, kept: Buffer[]) => Readable

const hooks: Record<string, Hook> = {
  'replaces the body by a stream that keeps buffers': (_reply, payload) => Readable.from((async function * () {
    const pieces: Buffer[] = []
    for await (const piece of payload as AsyncIterable<Buffer>) pieces.push(piece)
    yield * pieces
  })()),
  'pipes the body through a stream that keeps a buffer': (_reply, payload) => {
    let last: Buffer = Buffer.alloc(0)
    return payload.pipe(new Transform({
      transform (piece: Buffer, _encoding, done) {
        done(null, last)
        last = piece
      },
      flush (done) { done(null, last) }
    }))
  },
  'compresses the body': (reply, payload) => {
    reply.header('content-encoding', 'gzip').removeHeader('content-length')
    return payload.pipe(createGzip({ level: 1 }))
  },
  'listens to the body': (_reply, payload, kept) => payload.on('data', (piece: Buffer) => kept.push(piece)),
  'listens to the body later on': (reply, payload, kept) => {
    const listen = () => { payload.on('data', (piece: Buffer) => kept.push(piece)) }
    reply.raw.once('pipe', () => { setImmediate().then(listen, t.fail) })
    return payload
  },
  'replaces write of the response': ({ raw }, payload, kept) => {
    const { write } = raw
    raw.write = (...args: unknown[]) => {
      kept.push(args[0] as Buffer)
      return write.apply(raw, args as Parameters<typeof write>)
    }
    return payload
  }
}
for (const [does, hook] of Object.entries(hooks)) {
  t.test(`no buffer is reused if a hook of the app ${does}`, async (t) => {
    const kept: Buffer[] = []
    const { base, url } = await rig(t, {}, (app) => {
      app.addHook('onSend', async (request, reply, payload) =>
        request.method === 'GET' ? hook(reply, payload as Readable, kept) : payload)
    })
    const response = await get1(base, url) as http.IncomingMessage
    const isEncoded = response.headers['content-encoding'] === 'gzip'
    const bytes = await slowly(response)
    isSame(t, isEncoded ? gunzipSync(bytes) : bytes, BYTES)
    // A listener that comes later misses the first pieces.
    const heard = Buffer.concat(kept)
    if (heard.length > 0) isSame(t, heard, BYTES.subarray(BYTES.length - heard.length), 'what it has kept')
  })
}

t.test('a reader that stalls keeps one piece of 64 KiB in memory', async (t) => {
  const { files, base, url } = await rig(t, { http2: true }, undefined, BYTES.subarray(0, MIB))
  const stalled = []
  for (let connection = 0; connection < 2; connection++) {
    // Node.js of the client takes no bytes, so all of them stay in the server.
    const session = http2.connect(base, { settings: { initialWindowSize: 0 } })
    t.teardown(() => session.destroy())
    await once(session, 'remoteSettings')
    for (let i = 0; i < 100; i++) {
      // Ranges beyond the size that is sent without a stream, and the complete file.
      stalled.push(session.request({ ':path': url, ...(i % 2 === 0 ? {} : { range: `bytes=0-${100 * KIB}` }) }))
    }
  }
  await Promise.all(stalled.map((stream) => once(stream, 'response')))
  await until(() => files.reads >= 200)
  // A complete download meanwhile: whatever the others were going to read, they have read it by then.
  isSame(t, await slowly(await get2(base, url)), BYTES.subarray(0, MIB))
  t.equal(files.reads, 200 + MIB / (64 * KIB) + 1, 'one piece each, and those of the complete download and its end')
  await until(() => files.open === 200)
})

t.test('no buffer is reused while the socket holds it, however much the socket may hold', async (t) => {
  const { files, base, url } = await rig(t, { http: { highWaterMark: 2 * BYTES.length } })
  const response = await get1(base, url)
  await until(() => files.open === 0)
  isSame(t, await slowly(response), BYTES)
})
