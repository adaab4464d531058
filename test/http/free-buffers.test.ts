import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, preParsingHookHandler } from 'fastify'
import t, { type Test } from 'tap'
import { FileStore } from '../../plugin/index.ts'
import { type FileSystem, fileSystem } from '../../plugin/stores/file/file-system/file-system.ts'
import { freeBuffers } from '../../plugin/http/free-buffers.ts'
import { build, temporaryDirectory, until } from '../helper.ts'

const KIB = 1024
const bytes = randomBytes(3 * KIB * KIB)

t.test('buffers are freed, except small ones and views of a larger buffer', async (t) => {
  const own = Buffer.alloc(64 * KIB, 'a')
  const small = Buffer.alloc(KIB, 'b')
  const part = Buffer.alloc(128 * KIB, 'c').subarray(0, 64 * KIB)
  freeBuffers([own, small, part])
  t.same([own.length, small.length, part.length], [0, KIB, 64 * KIB])
  freeBuffers([small])
  t.equal(small.toString().replace(/b/g, ''), '')
})

/** A store that keeps references to the buffers that it was given to write. */
function noting (directory: string): { store: FileStore, given: Buffer[] } {
  const given: Buffer[] = []
  const open: FileSystem['open'] = async (name, flags) => {
    const file = await fileSystem.open(name, flags)
    const writev = file.writev.bind(file)
    file.writev = async (buffers, position) => {
      given.push(...buffers)
      return await writev(buffers, position)
    }
    return file
  }
  return { store: new FileStore({ directory, fs: { ...fileSystem, open } }), given }
}

/** Uploads over a socket. Resolves with the remaining size of the buffers of the body, in bytes. */
async function upload (t: Test, prepare?: (app: FastifyInstance) => void): Promise<number> {
  const directory = await temporaryDirectory(t)
  const { store, given } = noting(directory)
  const app = await build(t, { datastore: store }, {}, prepare)
  const expect = { expect: '100-continue' }
  const { response, wanted, socket } = await app.stall(await app.create(bytes.length), 0, bytes.length, '', expect)
  // Bytes sent earlier would go to the first listener.
  await wanted
  socket.write(bytes)
  t.equal((await response).status, 204)
  const stored = []
  for await (const id of store.list()) {
    for await (const chunk of store.read(id)) stored.push(chunk as Buffer)
  }
  t.ok(Buffer.concat(stored).equals(bytes), 'the stored bytes are those that were sent')
  return given.filter(({ length }) => length >= 16 * KIB).reduce((sum, { length }) => sum + length, 0)
}

t.test('the buffers of a body are freed once they are written', async (t) => {
  t.equal(await upload(t), 0)
})

t.test('an app that also reads a body keeps its buffers', async (t) => {
  const readers: Record<string, (raw: IncomingMessage, chunks: Buffer[]) => void> = {
    data: (raw, chunks) => raw.on('data', (chunk: Buffer) => chunks.push(chunk)),
    // As instrumentation does.
    on: (raw, chunks) => {
      const on = raw.on.bind(raw) as (event: string, listener: (chunk: Buffer) => void) => IncomingMessage
      const watched = (event: string, listener: (chunk: Buffer) => void) => on(event, (chunk) => {
        if (event === 'data') chunks.push(chunk)
        listener(chunk)
      })
      Object.assign(raw, { on: watched })
    },
    readable: (raw, chunks) => raw.on('readable', () => {
      for (let chunk = raw.read(); chunk !== null; chunk = raw.read()) chunks.push(chunk as Buffer)
    })
  }
  for (const [event, listen] of Object.entries(readers)) {
    const chunks: Buffer[] = []
    t.not(await upload(t, (app) => {
      app.addHook('onRequest', async ({ method, raw }) => { if (method === 'PATCH') listen(raw, chunks) })
    }), 0, event)
    t.ok(Buffer.concat(chunks).equals(bytes), event)
  }
})

t.test('buffers that an app begins to read in the middle of a body are not freed', async (t) => {
  const chunks: Buffer[] = []
  let isReading = false
  const app = await build(t, {
    progressInterval: 0,
    onProgress ({ raw }) {
      if (isReading) return
      isReading = true
      raw.on('data', (chunk: Buffer) => chunks.push(chunk))
    }
  })
  const location = await app.create(bytes.length)
  const { response, socket } = await app.stall(location, 0, bytes.length, bytes.subarray(0, 2 * KIB * KIB))
  await until(() => isReading)
  await app.untilStored(location, 2 * KIB * KIB)
  socket.write(bytes.subarray(2 * KIB * KIB))
  t.equal((await response).status, 204)
  const kept = Buffer.concat(chunks)
  t.ok(kept.length >= KIB * KIB && kept.equals(bytes.subarray(bytes.length - kept.length)))
})

t.test('buffers that a hook of the app made of a body are not freed', async (t) => {
  const passOn: preParsingHookHandler = (_request, _reply, payload, done) => {
    const stream = payload as IncomingMessage
    done(null, stream.map((chunk: Buffer) => Buffer.from(chunk)) as never)
  }
  t.not(await upload(t, (app) => { app.addHook('preParsing', passOn) }), 0)
})

t.test('the buffers of an injected body are not freed', async (t) => {
  const app = await build(t)
  const body = Buffer.from(bytes)
  const location = await app.create(body.length)
  t.equal((await app.patch(location, 0, body)).statusCode, 204)
  t.ok(body.equals(bytes))
  t.ok((await app.stored(location)).equals(bytes))
})
