import { createHash } from 'node:crypto'
import { once } from 'node:events'
import http2 from 'node:http2'
import path from 'node:path'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'
import { FileStore, MemoryLocker } from '../../plugin/index.ts'
import type { FastifyTusOptions, Intent } from '../../plugin/index.ts'
import { build, sampleBytes, until } from '../helper.ts'
import { rawRequest } from '../raw-request.ts'
import { finished, metadataOf } from './files.ts'
import { MemoryStore } from '../memory-store.ts'
import { read } from './reader.ts'

const MiB = 1024 * 1024

async function rig (
  t: Test, options: FastifyTusOptions = {}, prepare: (app: FastifyInstance) => void = () => {}
) {
  const built = await build(t, { download: { growing: true }, ...options }, {}, prepare)
  const base = await built.listen()
  return { ...built, base, read: (url: string, headers = {}) => read(t, `${base}${url}`, headers) }
}

/** A file store that counts how often it is asked for what. */
class CountingStore extends FileStore {
  readonly looks = new Map<string, number>()
  reads = 0

  override async getUpload (id: string) {
    this.looks.set(id, (this.looks.get(id) ?? 0) + 1)
    return await super.getUpload(id)
  }

  override read (id: string, range?: { start: number, end: number }) {
    this.reads++
    return super.read(id, range)
  }
}

t.test('a reader of an upload that grows has its bytes as they are stored, and its end', async (t) => {
  const { create, patch, read } = await rig(t)
  const url = await create(9, { 'upload-metadata': metadataOf({ filename: 'a.mp4', filetype: 'video/mp4' }) })
  await patch(url, 0, 'abc')
  const whole = await read(url)
  const ranged = await read(url, { range: 'bytes=0-' })
  const part = await read(url, { range: 'bytes=1-4' })
  const suffix = await read(url, { range: 'bytes=-2' })
  t.equal(whole.status, 200)
  t.match(whole.headers, {
    'content-length': '9',
    'cache-control': 'no-store',
    'accept-ranges': 'bytes',
    'content-type': 'video/mp4',
    'content-disposition': 'inline; filename="a.mp4"',
    'x-content-type-options': 'nosniff'
  })
  t.notOk('etag' in whole.headers)
  t.equal(ranged.status, 206)
  t.match(ranged.headers, { 'content-range': 'bytes 0-8/9', 'content-length': '9', 'cache-control': 'no-store' })
  t.match(part.headers, { 'content-range': 'bytes 1-4/9', 'content-length': '4' })
  t.match(suffix.headers, { 'content-range': 'bytes 7-8/9', 'content-length': '2' })
  await Promise.all([whole.has(3), ranged.has(3), part.has(2)])
  await patch(url, 3, 'def')
  await whole.has(6)
  t.equal((await part.all).toString(), 'bcde', 'a range that is there ends before the upload does')
  t.equal(suffix.received().length, 0)
  await patch(url, 6, 'ghi')
  t.equal((await whole.all).toString(), 'abcdefghi')
  t.equal((await ranged.all).toString(), 'abcdefghi')
  t.equal((await suffix.all).toString(), 'hi')
  t.match((await read(url)).headers, { 'cache-control': 'no-cache', etag: /./ }, 'once it is whole it is like any other')
})

t.test('bytes are there while the body that brings them still runs', async (t) => {
  const { create, stall, read } = await rig(t)
  const url = await create(2 * MiB)
  const bytes = sampleBytes(2 * MiB)
  const reader = await read(url, { range: 'bytes=0-' })
  const { socket, response } = await stall(url, 0, bytes.length, bytes.subarray(0, MiB))
  await reader.has(MiB)
  socket.write(bytes.subarray(MiB))
  t.equal((await response).status, 204, 'and the writer was not disturbed')
  t.ok((await reader.all).equals(bytes))
})

t.test('a range that begins a little ahead waits, and one far ahead is refused', async (t) => {
  const { app, create, patch, read } = await rig(t)
  const url = await create(3 * MiB)
  await patch(url, 0, Buffer.alloc(1000))
  for (const range of [`bytes=${MiB + 1001}-`, `bytes=${2 * MiB}-${2 * MiB}`, 'bytes=-1', `bytes=${3 * MiB}-`]) {
    const response = await app.inject({ url, headers: { range } })
    t.equal(response.statusCode, 416, range)
    t.equal(response.headers['content-range'], `bytes */${3 * MiB}`)
    t.equal(response.headers['cache-control'], 'no-store')
  }
  const reader = await read(url, { range: `bytes=${MiB + 1000}-` })
  t.equal(reader.status, 206)
  const bytes = sampleBytes(3 * MiB - 1000)
  await patch(url, 1000, bytes)
  t.ok((await reader.all).equals(bytes.subarray(MiB)))
})

t.test('of an upload without a length the total is not told, and its end is that of the answer', async (t) => {
  const { create, patch, read } = await rig(t)
  const url = await create('deferred')
  const reader = await read(url, { range: 'bytes=2-' })
  t.equal(reader.status, 200, 'a range of what has no length is the whole')
  t.match(reader.headers, { 'transfer-encoding': 'chunked', 'accept-ranges': 'none', 'cache-control': 'no-store' })
  await patch(url, 0, 'abc')
  await reader.has(3)
  await patch(url, 3, 'def')
  await reader.has(6)
  await patch(url, 6, '', { 'upload-length': '6' })
  t.equal((await reader.all).toString(), 'abcdef')
})

t.test('If-Range never holds for what has no tag', async (t) => {
  const { create, patch, read } = await rig(t)
  const url = await create(6)
  const reader = await read(url, { range: 'bytes=2-', 'if-range': '"x"' })
  t.equal(reader.status, 200)
  await patch(url, 0, 'abcdef')
  t.equal((await reader.all).toString(), 'abcdef')
})

t.test('?from= is what follows, be it there or not', async (t) => {
  const { app, create, patch, read } = await rig(t)
  const url = await create('deferred')
  await patch(url, 0, 'abc')
  const live = await read(`${url}?from=2`)
  t.equal(live.status, 200)
  t.match(live.headers, { 'transfer-encoding': 'chunked', 'accept-ranges': 'none' })
  await live.has(1)
  await patch(url, 3, 'def', { 'upload-length': '9' })
  const known = await read(`${url}?from=8`)
  t.equal(known.headers['content-length'], '1')
  await patch(url, 6, 'ghi')
  t.equal((await live.all).toString(), 'cdefghi')
  t.equal((await known.all).toString(), 'i')
  t.equal((await app.inject(`${url}?from=7`)).body, 'hi', 'of a finished one too')
  const end = await app.inject(`${url}?from=9`)
  t.equal(end.statusCode, 200, 'who has read all is told so')
  t.equal(end.body, '')
  const beyond = await app.inject(`${url}?from=10`)
  t.equal(beyond.statusCode, 416)
  t.equal(beyond.headers['content-range'], 'bytes */9')
  for (const from of ['', '-1', '1.5', 'x', '1&from=2', '99999999999999999999']) {
    const response = await app.inject(`${url}?from=${from}`)
    t.equal(response.statusCode, 400, from)
    t.match(response.json(), { code: 'FST_TUS_INVALID_QUERY' })
  }
  const deferred = await create('deferred')
  const ahead = await app.inject(`${deferred}?from=${MiB + 1}`)
  t.equal(ahead.statusCode, 416)
  t.notOk('content-range' in ahead.headers, 'the total is not known')
})

t.test('it is off unless it is asked for, and needs a store that reads ranges', async (t) => {
  const { app, create, patch } = await build(t, { download: {} })
  const url = await create(6)
  t.equal((await app.inject(url)).statusCode, 404)
  await patch(url, 0, 'abcdef')
  t.equal((await app.inject(`${url}?from=2`)).body, 'abcdef')
  const datastore = new MemoryStore()
  await t.rejects(build(t, { datastore, download: { growing: true } }), {
    code: 'FST_TUS_INVALID_OPTION', message: /"download.growing" needs a store that is able to read "ranges"/
  })
})

t.test('CORE-02: a HEAD without the version is refused while the upload grows', async (t) => {
  const { app, create } = await rig(t)
  t.equal((await app.inject({ method: 'HEAD', url: await create(6) })).statusCode, 412)
})

t.test('authorize is asked with intent read, and decides', async (t) => {
  const asked: Intent['action'][] = []
  const { app, create } = await rig(t, {
    authorize: (_request, { action }) => {
      asked.push(action)
      return action !== 'read'
    }
  })
  const url = await create(6)
  t.equal((await app.inject(url)).statusCode, 403)
  t.equal((await app.inject(`${url}?from=0`)).statusCode, 403)
  t.same(asked, ['create', 'read', 'read'])
})

t.test('LOCK-06: readers take no lock', async (t) => {
  const locker = new MemoryLocker()
  const { create, patch, read } = await rig(t, { locker })
  const url = await create(6)
  await patch(url, 0, 'abc')
  const lock = locker.newLock(path.basename(url))
  await lock.lock(new AbortController().signal, () => { t.fail('the holder was asked to let go') })
  const reader = await read(url)
  await reader.has(3)
  await lock.unlock()
})

t.test('bytes that are not verified yet are not given', async (t) => {
  const { create, read, stall, untilStored } = await rig(t)
  const url = await create(2000)
  const bytes = sampleBytes(2000)
  const checksum = (digest: Buffer) => ({ 'upload-checksum': `sha1 ${digest.toString('base64')}` })
  const reader = await read(url)

  const refused = await stall(url, 0, 1000, bytes.subarray(500, 1000), checksum(Buffer.alloc(20)))
  await untilStored(url, 500)
  refused.socket.write(bytes.subarray(1000, 1500))
  t.equal((await refused.response).status, 460)

  const right = createHash('sha1').update(bytes.subarray(0, 1000)).digest()
  const { socket, response } = await stall(url, 0, 1000, bytes.subarray(0, 500), checksum(right))
  await untilStored(url, 500)
  t.equal(reader.received().length, 0)
  socket.write(bytes.subarray(500, 1000))
  t.equal((await response).status, 204)
  await reader.has(1000)
  t.ok(reader.received().equals(bytes.subarray(0, 1000)))
})

t.test('who has read bytes that are taken back is cut off', async (t) => {
  const { base, create, read, untilStored } = await rig(t)
  const url = await create(6)
  const reader = await read(url)
  const { socket, response } = await rawRequest(t, base, 'PATCH', url, {
    'tus-resumable': '1.0.0',
    'content-type': 'application/offset+octet-stream',
    'upload-offset': '0',
    'transfer-encoding': 'chunked'
  }, '3\r\nabc\r\n')
  await untilStored(url, 3)
  await reader.has(3)
  socket.write('9\r\ndefghijkl\r\n')
  t.equal((await response).status, 413)
  await t.rejects(reader.all)
})

t.test('a reader is let go when the upload is deleted', async (t) => {
  const { create, patch, read, request, logs } = await rig(t)
  const url = await create(6)
  await patch(url, 0, 'abc')
  const reader = await read(url)
  await reader.has(3)
  t.equal((await request('DELETE', url)).statusCode, 204)
  await t.rejects(reader.all)
  await until(() => logs.some(({ err }) => err?.code === 'FST_TUS_GONE' || err?.code === 'FST_TUS_NOT_FOUND'))
})

t.test('a reader is let go when the upload expires', async (t) => {
  const { create, patch, read } = await rig(t, { expiration: { period: 400, sweepInterval: 0 } })
  const url = await create(6)
  await patch(url, 0, 'abc')
  const reader = await read(url)
  await t.rejects(reader.all)
})

t.test('readers do not keep the app from closing', async (t) => {
  const { app, create, patch, read } = await rig(t)
  const url = await create(6)
  await patch(url, 0, 'abc')
  const readers = await Promise.all(Array.from({ length: 10 }, () => read(url)))
  await app.close()
  for (const reader of readers) await t.rejects(reader.all)
})

t.test('a reader that comes while the app closes is told so', async (t) => {
  let isClosing = false
  const { app, create } = await rig(t, {
    async authorize (_request, { action }) {
      if (action !== 'read') return
      app.close()
      await until(() => isClosing)
    }
  }, (app) => {
    app.addHook('preClose', async () => { isClosing = true })
  })
  t.equal((await app.inject(await create(6))).statusCode, 503)
})

t.test('who leaves is forgotten: nobody looks at the upload any more', async (t) => {
  const datastore = new CountingStore({ directory: t.testdir() })
  const { create, read } = await rig(t, { datastore })
  const [left, other] = [await create(6), await create(6)]
  const looks = (url: string) => datastore.looks.get(path.basename(url)) as number
  const readers = [await read(left), await read(left)]
  const before = looks(left)
  await until(() => looks(left) > before)
  for (const reader of readers) reader.leave()
  // Two looks at the other one take longer than the one look that may have been under way.
  await read(other)
  await until(() => looks(other) > 4)
  const after = looks(left)
  await until(() => looks(other) > 7)
  t.equal(looks(left), after)
})

t.test('many readers at one place cost the store one read', async (t) => {
  const datastore = new CountingStore({ directory: t.testdir() })
  const { create, patch, read } = await rig(t, { datastore })
  const url = await create(300)
  const readers = await Promise.all(Array.from({ length: 30 }, () => read(url)))
  for (let offset = 0; offset < 300; offset += 100) {
    await patch(url, offset, Buffer.alloc(100, 'x'))
    await Promise.all(readers.map((reader) => reader.has(offset + 100)))
  }
  for (const reader of readers) t.equal((await reader.all).toString(), 'x'.repeat(300))
  t.equal(datastore.reads, 3)
})

t.test('what another process writes is read too', async (t) => {
  const directory = t.testdir()
  const { read } = await rig(t, { directory })
  const other = await build(t, { directory })
  const url = await other.create(6)
  await other.patch(url, 0, 'abc')
  const reader = await read(url)
  await reader.has(3)
  await other.patch(url, 3, 'def')
  t.equal((await reader.all).toString(), 'abcdef')
})

t.test('a store that fails now and then does not end a reading, and one whose file is cut off does', async (t) => {
  let failing = 0
  class FailingStore extends CountingStore {
    override async getUpload (id: string) {
      const upload = await super.getUpload(id)
      if (failing-- > 0) throw Object.assign(new Error('too many files'), { code: 'EMFILE' })
      return upload
    }

    override read (id: string, range?: { start: number, end: number }) {
      return super.read(id, range?.start === 3 ? { start: 90, end: 91 } : range)
    }
  }
  const datastore = new FailingStore({ directory: t.testdir() })
  const { create, patch, read } = await rig(t, { datastore })
  const url = await create(6)
  const reader = await read(url)
  failing = 1
  await until(() => failing <= 0)
  await patch(url, 0, 'abc')
  await reader.has(3)
  await patch(url, 3, 'def')
  await t.rejects(reader.all)
})

t.test('a part and a final upload that waits for it grow as others do', async (t) => {
  const { create, patch, post, read } = await rig(t)
  const part = await create(3, { 'upload-concat': 'partial' })
  const { headers } = await post({ 'upload-concat': `final;${part} ${part}` })
  const [a, b] = [await read(part), await read(String(headers.location))]
  t.equal(b.headers['content-length'], '6')
  await patch(part, 0, 'abc')
  t.equal((await a.all).toString(), 'abc')
  t.equal((await b.all).toString(), 'abcabc')
})

t.test('while the finish hook runs the upload is still one that grows', async (t) => {
  let release = () => {}
  const released = new Promise<void>((resolve) => { release = resolve })
  const { create, patch, read } = await rig(t, { onUploadFinish: () => released })
  const url = await create(6)
  const patched = patch(url, 0, 'abcdef')
  const reader = await read(url)
  t.equal((await reader.all).toString(), 'abcdef')
  t.equal(reader.headers['cache-control'], 'no-store')
  release()
  t.equal((await patched).statusCode, 204)
  t.equal((await read(url)).headers['cache-control'], 'no-cache')
})

t.test('over HTTP/2 an upload that grows is read as it is stored too', async (t) => {
  const { create, patch, listen } = await build(t, { download: { growing: true } }, { http2: true } as never)
  const url = await create(6)
  const session = http2.connect(await listen())
  t.teardown(() => session.destroy())
  const stream = session.request({ ':path': url, range: 'bytes=1-' })
  const [headers] = await once(stream, 'response') as [http2.IncomingHttpHeaders]
  t.match(headers, { ':status': 206, 'content-range': 'bytes 1-5/6' })
  let received = ''
  stream.on('data', (bytes: Buffer) => { received += bytes.toString() })
  await patch(url, 0, 'abc')
  await until(() => received === 'bc')
  await patch(url, 3, 'def')
  await once(stream, 'end')
  t.equal(received, 'bcdef')
})

t.test('an empty upload ends at once', async (t) => {
  const built = await rig(t)
  t.equal((await built.app.inject(`${await finished(built, '')}?from=0`)).body, '')
})
