import { once } from 'node:events'
import fs from 'node:fs/promises'
import http2 from 'node:http2'
import path from 'node:path'
import t from 'tap'
import { FileStore } from '../../../plugin/index.ts'
import { fileSystem } from '../../../plugin/stores/file/file-system/file-system.ts'
import { ForeignStore } from '../../foreign-store.ts'
import { build, OFFSET_OCTET_STREAM } from '../../helper.ts'
import { rawRequest } from '../../raw-request.ts'

t.test('EDGE-43 a response during a body is complete, and the connection is closed afterwards', async (t) => {
  const app = await build(t)
  const base = await app.listen()
  const location = await app.create(3)
  await app.patch(location, 0, 'abc')
  const headers = { 'tus-resumable': '1.0.0', 'content-length': '100' }
  const requests = [
    { method: 'POST', url: '/files', more: { 'upload-length': '5', 'content-type': 'application/json' }, status: 201 },
    { method: 'POST', url: '/files', more: {}, status: 400 },
    { method: 'GET', url: location, more: {}, status: 200 },
    { method: 'DELETE', url: location, more: {}, status: 204 }
  ]
  for (const { method, url, more, status } of requests) {
    const { socket, response } = await rawRequest(t, base, method, url, { ...headers, ...more }, '{"a":')
    t.match(await response, { status, headers: { connection: 'close' } }, method)
    await once(socket, 'close')
  }
})

t.test('EDGE-43 unwanted bytes are discarded, up to a limit', async (t) => {
  const app = await build(t)
  const base = await app.listen()
  const headers = { 'tus-resumable': '1.0.0', 'content-length': String(64 * 1024 * 1024) }
  const { socket, response } = await rawRequest(t, base, 'POST', '/files', headers, Buffer.alloc(24 * 1024 * 1024))
  const closed = new Promise((resolve) => { socket.once('close', resolve) })
  t.equal((await response).status, 400)
  await closed
})

t.test('EDGE-43 a client that reads only after it has sent several MiB gets the response', async (t) => {
  const app = await build(t)
  const base = await app.listen()
  const headers = { 'tus-resumable': '1.0.0', 'content-length': String(64 * 1024 * 1024) }
  const { socket, response } = await rawRequest(t, base, 'POST', '/files', headers, Buffer.alloc(12 * 1024 * 1024))
  socket.pause()
  await once(socket, 'drain')
  socket.resume()
  t.equal((await response).status, 400)
})

t.test('CORE-09 a method without a body may have one if another method overrides it', async (t) => {
  const app = await build(t)
  const location = await app.create(3)
  const { response } = await rawRequest(t, await app.listen(), 'GET', location, {
    'tus-resumable': '1.0.0',
    'x-http-method-override': 'PATCH',
    'upload-offset': '0',
    'content-type': OFFSET_OCTET_STREAM,
    'content-length': '3'
  }, 'abc')
  t.match(await response, { status: 204, headers: { 'upload-offset': '3' } })
})

t.test('PATCH-07 a stalled body over HTTP/2 ends with its stream, and other streams continue', async (t) => {
  const app = await build(t, { idleTimeout: 50 }, { http2: true } as never)
  const session = http2.connect(await app.listen())
  t.teardown(() => session.destroy())
  const common = { 'tus-resumable': '1.0.0' }
  const created = session.request({ ':method': 'POST', ':path': '/files', ...common, 'upload-length': '9' })
  const [{ location }] = await once(created, 'response') as [{ location: string }]
  const stalled = session.request({
    ':method': 'PATCH', ':path': location, ...common, 'upload-offset': '0', 'content-type': OFFSET_OCTET_STREAM
  })
  stalled.write('abc')
  await once(stalled, 'close')
  const asked = session.request({ ':method': 'HEAD', ':path': location, ...common }, { endStream: true })
  const [headers] = await once(asked, 'response') as [Record<string, string>]
  t.equal(headers['upload-offset'], '3')
})

t.test('CONCAT-10 EDGE-69 a request without Host may name parts by their paths', async (t) => {
  const app = await build(t)
  const part = await app.create(0, { 'upload-concat': 'partial' })
  for (const [url, status] of [[part, 201], [`http://localhost${part}`, 201], [`http://other/other${part}`, 400]] as const) {
    const headers = { host: '', 'tus-resumable': '1.0.0', 'upload-concat': `final;${url}`, 'content-length': '0' }
    const { response } = await rawRequest(t, await app.listen(), 'POST', '/files', headers)
    t.equal((await response).status, status, url)
  }
})

t.test('PATCH-11 EDGE-45 a disk that fills up keeps the bytes that fit, and returns their offset', async (t) => {
  const directory = t.testdir()
  const broken = { ...fileSystem }
  const app = await build(t, { datastore: new FileStore({ directory, fs: broken }) })
  const location = await app.create(9)
  let room = 4
  broken.open = async (name, flags) => {
    const file = await fileSystem.open(name, flags)
    if (path.basename(name) !== path.basename(location)) return file
    const writev = file.writev.bind(file)
    return Object.assign(file, {
      writev: async (buffers: Buffer[], position: number) => {
        if (room === 0) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
        const part = Buffer.concat(buffers).subarray(0, room)
        room -= part.length
        return await writev([part], position)
      }
    })
  }
  const response = await app.patch(location, 0, 'abcdefghi')
  t.match(response, { statusCode: 507, headers: { 'upload-offset': '4' } })
  t.notMatch(response.body, /device/)
  t.equal((await app.head(location)).headers['upload-offset'], '4')
  room = 9
  t.equal((await app.patch(location, 4, 'efghi')).statusCode, 204)
  t.equal((await app.request('GET', location)).body, 'abcdefghi')

  broken.open = async () => { throw Object.assign(new Error('too many'), { code: 'EMFILE' }) }
  const other = await build(t, { directory })
  const second = await other.create(1)
  t.match(await app.patch(second, 0, 'a'), { statusCode: 503, headers: { 'retry-after': '1' } })
})

t.test('CONCAT-16 a part that is temporarily unreadable is not reported as missing', async (t) => {
  const directory = t.testdir()
  const broken = { ...fileSystem }
  const app = await build(t, { datastore: new FileStore({ directory, fs: broken }) })
  const part = await app.create(0, { 'upload-concat': 'partial' })
  broken.stat = (async () => { throw Object.assign(new Error('too many'), { code: 'EMFILE' }) }) as never
  t.equal((await app.post({ 'upload-concat': `final;${part}` })).statusCode, 503)
})

t.test('EDGE-80 an invalid result of the store is a 500, and is not disclosed', async (t) => {
  for (const nonsense of [undefined, {}, { id: 'a', offset: -1 }, { id: 'a', offset: 0, size: 'x' }]) {
    const store = new FileStore({ directory: t.testdir() })
    const app = await build(t, { datastore: store })
    const location = await app.create(3)
    store.getUpload = async () => nonsense as never
    t.match(await app.patch(location, 0, 'abc'), { statusCode: 500, body: /FST_TUS_STORE_FAILED/ })
    t.match(await app.head(location), { statusCode: 423 })
  }
})

t.test('PATCH-04 a store that returns no valid offset from write is a store error', async (t) => {
  for (const written of [undefined, NaN, '3', -1]) {
    const store = new ForeignStore()
    const app = await build(t, { datastore: store })
    const location = await app.create(3)
    store.write = async () => written as never
    t.match(await app.patch(location, 0, 'abc'), { statusCode: 500, body: /FST_TUS_STORE_FAILED/ }, String(written))
  }
})

t.test('a response of the finish hook that HTTP cannot carry is an error, not a hung request', async (t) => {
  const app = await build(t, { onUploadFinish: () => ({ headers: { 'x-name': 'a\r\nb' } }) })
  const location = await app.create(3)
  t.match(await app.patch(location, 0, 'abc'), { statusCode: 500, body: /FST_TUS_INTERNAL/ })
})

t.test('EDGE-45 if the directory is missing, uploads are not reported as gone', async (t) => {
  const directory = path.join(t.testdir(), 'volume')
  const app = await build(t, { datastore: new FileStore({ directory }) })
  const location = await app.create(3)
  await fs.rename(directory, `${directory}-elsewhere`)
  t.equal((await app.head(location)).statusCode, 423)
  t.equal((await app.patch(location, 0, 'abc')).statusCode, 503)
  await fs.rename(`${directory}-elsewhere`, directory)
  t.equal((await app.patch(location, 0, 'abc')).statusCode, 204)
})

t.test('a finish that cannot be recorded gets the usual response, and the hook stays due', async (t) => {
  const directory = t.testdir()
  const broken = { ...fileSystem }
  let calls = 0
  const app = await build(t, {
    datastore: new FileStore({ directory, fs: broken }),
    onUploadFinish: () => {
      calls++
      broken.rename = async () => { throw Object.assign(new Error('full'), { code: 'ENOSPC' }) }
    }
  })
  const headers = { 'upload-length': '3', 'content-type': OFFSET_OCTET_STREAM }
  const response = await app.post(headers, 'abc')
  t.equal(response.statusCode, 201, 'the hook has processed it, so the upload is finished for the client')
  t.ok(app.logs.some(({ msg }) => msg === 'finished upload not recorded: its finish hook will run again'))
  t.equal(calls, 1)
})

t.test('a refused upload that cannot be deleted is refused nevertheless', async (t) => {
  const directory = t.testdir()
  const store = new FileStore({ directory })
  const app = await build(t, { datastore: store, maxSize: 2 })
  store.remove = async () => { throw Object.assign(new Error('busy'), { code: 'EBUSY' }) }
  const { response } = await rawRequest(t, await app.listen(), 'POST', '/files', {
    'tus-resumable': '1.0.0',
    'upload-defer-length': '1',
    'content-type': OFFSET_OCTET_STREAM,
    'transfer-encoding': 'chunked'
  }, '3\r\nabc\r\n0\r\n\r\n')
  t.equal((await response).status, 413)
  t.ok(app.logs.some(({ msg }) => msg === 'refused upload not deleted'))
})

t.test('metadata of onUploadCreate that is invalid in tus makes the creation fail', async (t) => {
  for (const metadata of [{ owner: 42 }, null, { 'a b': 'x' }, { 'k\r\nX': 'v' }, { k: 'x'.repeat(20_000) }]) {
    const app = await build(t, { onUploadCreate: () => ({ metadata: metadata as never }) })
    t.match(await app.post({ 'upload-length': '3' }), { statusCode: 500, body: /FST_TUS_HOOK_FAILED/ })
    t.same(await fs.readdir(app.directory), [])
  }
})

t.test('PATCH-06 received bytes count, even if the client disconnected before the body was accepted', async (t) => {
  let allow = () => {}
  const asked = new Promise<void>((resolve) => { allow = resolve })
  const app = await build(t, {
    authorize: async (_request, { action }) => { if (action === 'append') await asked }
  })
  const location = await app.create(100)
  const { socket } = await app.stall(location, 0, 100, 'abc')
  socket.end()
  await once(socket, 'close')
  allow()
  await app.untilStored(location, 3)
  t.equal((await app.head(location)).headers['upload-offset'], '3')
})
