import { createReadStream } from 'node:fs'
import path from 'node:path'
import { Readable } from 'node:stream'
import t from 'tap'
import type { Test } from 'tap'
import { defaultOptions, Upload } from 'tus-js-client'
import type { HttpRequest, PreviousUpload, UploadOptions, UrlStorage } from 'tus-js-client'
import { build, sampleBytes, sha256 } from '../../helper.ts'
import type { Built } from '../../helper.ts'

const SLICE = 64 * 1024
const bytes = sampleBytes(5 * SLICE + 1)

interface Client extends Built {
  options: UploadOptions
  /** The requests that were sent. */
  sent: HttpRequest[]
  finished: string[]
}

async function buildWithClient (t: Test, directory = t.testdir()): Promise<Client> {
  const finished: string[] = []
  const sent: HttpRequest[] = []
  const built = await build(t, { directory, onUploadFinish: (_request, { id }) => { finished.push(id) } })
  const options: UploadOptions = {
    endpoint: `${await built.listen()}/files`,
    metadata: { filename: 'clip – 1.mp4', filetype: 'video/mp4' },
    retryDelays: null,
    onBeforeRequest: (request) => { sent.push(request) }
  }
  return { ...built, options, sent, finished }
}

/** Sends all bytes; resolves with the URL. */
function send (file: unknown, options: UploadOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const upload = new Upload(file as Buffer, {
      ...options,
      onSuccess: () => resolve(upload.url ?? ''),
      onError: reject
    })
    upload.start()
  })
}

/** Sends until this many bytes are accepted, and stops; resolves with the URL. */
function sendPart (file: unknown, options: UploadOptions, accepted: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const upload = new Upload(file as Buffer, {
      ...options,
      onError: reject,
      onChunkComplete: (_size, offset) => {
        if (offset >= accepted) upload.abort().then(() => resolve(upload.url ?? ''), reject)
      }
    })
    upload.start()
  })
}

function inMemory (): UrlStorage {
  const uploads = new Map<string, PreviousUpload>()
  return {
    findAllUploads: async () => [...uploads.values()],
    findUploadsByFingerprint: async (fingerprint) => [uploads.get(fingerprint) ?? []].flat(),
    removeUpload: async (key) => { uploads.delete(key) },
    addUpload: async (fingerprint, upload) => {
      uploads.set(fingerprint, { ...upload, urlStorageKey: fingerprint })
      return fingerprint
    }
  }
}

const methodsOf = (sent: HttpRequest[]) => sent.map((request) => request.getMethod())

const ways: Array<[name: string, options: UploadOptions, methods: string[]]> = [
  ['in one request', {}, ['POST', 'PATCH']],
  ['in slices', { chunkSize: SLICE }, ['POST', 'PATCH', 'PATCH', 'PATCH', 'PATCH', 'PATCH', 'PATCH']],
  ['with its creation', { uploadDataDuringCreation: true }, ['POST']],
  ['in slices, one with its creation', { uploadDataDuringCreation: true, chunkSize: 4 * SLICE }, ['POST', 'PATCH']],
  ['by POST instead of PATCH', { overridePatchMethod: true, chunkSize: 3 * SLICE }, ['POST', 'POST', 'POST']],
  ['with an id for each request', { addRequestId: true }, ['POST', 'PATCH']]
]
for (const [name, options, methods] of ways) {
  t.test(`tus-js-client sends a file ${name}`, async (t) => {
    const client = await buildWithClient(t)
    const url = await send(bytes, { ...client.options, ...options })
    t.equal(sha256(await client.stored(url)), sha256(bytes))
    t.same(methodsOf(client.sent), methods)
    t.same(client.finished, [path.basename(url)])

    const response = await fetch(url)
    t.equal(response.headers.get('content-type'), 'video/mp4')
    t.equal(sha256(Buffer.from(await response.arrayBuffer())), sha256(bytes))
  })
}

t.test('tus-js-client sends a stream whose length is known only at the end', async (t) => {
  const { options, stored, head, finished } = await buildWithClient(t)
  const stream = Readable.from([bytes], { objectMode: false })
  const url = await send(stream, { ...options, uploadLengthDeferred: true, chunkSize: SLICE })
  t.equal(sha256(await stored(url)), sha256(bytes))
  t.match((await head(new URL(url).pathname)).headers, { 'upload-length': String(bytes.length) })
  t.same(finished, [path.basename(url)])
})

t.test('tus-js-client sends an empty file', async (t) => {
  const { options, stored, sent, finished } = await buildWithClient(t)
  const url = await send(Buffer.alloc(0), options)
  t.equal((await stored(url)).length, 0)
  t.same(methodsOf(sent), ['POST'])
  t.same(finished, [path.basename(url)])
})

t.test('tus-js-client resumes at a given URL', async (t) => {
  const { options, stored, sent, finished } = await buildWithClient(t)
  const sliced = { ...options, chunkSize: SLICE }
  const uploadUrl = await sendPart(bytes, sliced, 2 * SLICE)
  t.same(finished, [])
  sent.length = 0
  t.equal(await send(bytes, { ...sliced, uploadUrl }), uploadUrl)
  t.equal(methodsOf(sent)[0], 'HEAD')
  t.ok(methodsOf(sent).length <= 5, 'accepted bytes are not sent again')
  t.equal(sha256(await stored(uploadUrl)), sha256(bytes))
  t.same(finished, [path.basename(uploadUrl)])
})

t.test('tus-js-client resumes a previous upload', async (t) => {
  const directory = t.testdir({ source: bytes, files: {} })
  const { options, stored, sent } = await buildWithClient(t, path.join(directory, 'files'))
  const source = () => createReadStream(path.join(directory, 'source'))
  const remembering = { ...options, chunkSize: SLICE, urlStorage: inMemory() }
  const url = await sendPart(source(), remembering, 2 * SLICE)
  sent.length = 0
  const again = await new Promise<string>((resolve, reject) => {
    const upload = new Upload(source() as never, {
      ...remembering,
      onSuccess: () => resolve(upload.url ?? ''),
      onError: reject
    })
    upload.findPreviousUploads().then(([previous]) => {
      upload.resumeFromPreviousUpload(previous as PreviousUpload)
      upload.start()
    }).catch(reject)
  })
  t.equal(again, url)
  t.equal(methodsOf(sent)[0], 'HEAD')
  t.equal(sha256(await stored(url)), sha256(bytes))
})

t.test('tus-js-client resumes automatically if its connection is lost in the middle of a body', async (t) => {
  const { app, options, stored, sent, finished } = await buildWithClient(t)
  // Its actual body: the connection is cut after a part of it has arrived.
  app.server.once('connection', (socket) => {
    let received = 0
    socket.on('data', (data) => {
      received += data.length
      if (received > 2 * SLICE) socket.resetAndDestroy()
    })
  })
  const url = await send(bytes, { ...options, retryDelays: [0, 0, 0], uploadDataDuringCreation: false })
  t.equal(sha256(await stored(url)), sha256(bytes))
  t.ok(methodsOf(sent).filter((method) => method === 'PATCH').length > 1)
  t.same(finished, [path.basename(url)])
})

t.test('tus-js-client starts over if the upload is gone', async (t) => {
  const { options, stored, request } = await buildWithClient(t)
  const sliced = { ...options, chunkSize: SLICE }
  const uploadUrl = await sendPart(bytes, sliced, SLICE)
  await request('DELETE', new URL(uploadUrl).pathname)
  const url = await send(bytes, { ...sliced, uploadUrl })
  t.not(url, uploadUrl)
  t.equal(sha256(await stored(url)), sha256(bytes))
})

t.test('CONCAT-03 tus-js-client sends a file in parallel parts', async (t) => {
  const { options, stored, sent, finished } = await buildWithClient(t)
  const url = await send(bytes, { ...options, parallelUploads: 3 })
  t.equal(sha256(await stored(url)), sha256(bytes))
  t.equal(methodsOf(sent).filter((method) => method === 'POST').length, 4)
  t.same(finished, [path.basename(url)])
})

t.test('CONCAT-03 one of the parallel parts of tus-js-client is interrupted and resumes', async (t) => {
  const { options, stored, sent, finished, app } = await buildWithClient(t)
  let broken = false
  app.server.prependListener('request', (request) => {
    if (broken || request.method !== 'PATCH' || request.headers['upload-offset'] === '0') return
    broken = true
    request.socket.destroy()
  })
  const url = await send(bytes, { ...options, parallelUploads: 4, chunkSize: SLICE / 2, retryDelays: [0, 10, 100] })
  t.ok(broken)
  t.ok(methodsOf(sent).includes('HEAD'), 'the part requested its offset')
  t.equal(sha256(await stored(url)), sha256(bytes))
  t.same(finished, [path.basename(url)])
})

t.test('tus-js-client deletes an upload', async (t) => {
  const { options, head } = await buildWithClient(t)
  const url = await sendPart(bytes, { ...options, chunkSize: SLICE }, SLICE)
  t.equal((await head(new URL(url).pathname)).statusCode, 200)
  await Upload.terminate(url, { ...defaultOptions, retryDelays: null })
  t.equal((await head(new URL(url).pathname)).statusCode, 404)
})
