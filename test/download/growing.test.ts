import { once } from 'node:events'
import http2 from 'node:http2'
import { PassThrough, Readable } from 'node:stream'
import t from 'tap'
import { build, sampleBytes, until } from '../helper.ts'
import { finished, metadataOf } from './files.ts'
import { rig } from './growing-rig.ts'

const MiB = 1024 * 1024

t.test('a reader of a growing upload gets the bytes as they are stored, up to the end', async (t) => {
  const { create, patch, read } = await rig(t)
  const url = await create(9, { 'upload-metadata': metadataOf({ filename: 'a.mp4', filetype: 'video/mp4' }) })
  await patch(url, 0, 'abc')
  const complete = await read(url)
  const ranged = await read(url, { range: 'bytes=0-' })
  const part = await read(url, { range: 'bytes=1-4' })
  const suffix = await read(url, { range: 'bytes=-2' })
  t.equal(complete.status, 200)
  t.match(complete.headers, {
    'content-length': '9',
    'cache-control': 'no-store, no-transform',
    'x-accel-buffering': 'no',
    'accept-ranges': 'bytes',
    'content-type': 'video/mp4',
    'content-disposition': 'inline; filename="a.mp4"',
    'x-content-type-options': 'nosniff'
  })
  t.notOk('etag' in complete.headers)
  t.equal(ranged.status, 206)
  t.match(ranged.headers, { 'content-range': 'bytes 0-8/9', 'content-length': '9', 'cache-control': 'no-store' })
  t.match(part.headers, { 'content-range': 'bytes 1-4/9', 'content-length': '4' })
  t.match(suffix.headers, { 'content-range': 'bytes 7-8/9', 'content-length': '2' })
  await Promise.all([complete.has(3), ranged.has(3), part.has(2)])
  await patch(url, 3, 'def')
  await complete.has(6)
  t.equal((await part.all).toString(), 'bcde', 'the response to a stored range ends before the upload does')
  t.equal(suffix.received().length, 0)
  await patch(url, 6, 'ghi')
  t.equal((await complete.all).toString(), 'abcdefghi')
  t.equal((await ranged.all).toString(), 'abcdefghi')
  t.equal((await suffix.all).toString(), 'hi')
  t.match((await read(url)).headers, { 'cache-control': 'no-cache', etag: /./ }, 'a complete upload is like any other')
})

t.test('bytes are sent while the body that contains them is still being received', async (t) => {
  const { create, stall, read } = await rig(t)
  const url = await create(2 * MiB)
  const bytes = sampleBytes(2 * MiB)
  const reader = await read(url, { range: 'bytes=0-' })
  const { socket, response } = await stall(url, 0, bytes.length, bytes.subarray(0, MiB))
  await reader.has(MiB)
  socket.write(bytes.subarray(MiB))
  t.equal((await response).status, 204, 'and the writer continues')
  t.ok((await reader.all).equals(bytes))
})

t.test('a range that begins slightly beyond the offset waits, and one far beyond is refused', async (t) => {
  const { app, create, patch, read } = await rig(t)
  const url = await create(3 * MiB)
  await patch(url, 0, Buffer.alloc(1000))
  for (const range of [`bytes=${MiB + 1001}-`, `bytes=${2 * MiB}-${2 * MiB}`, 'bytes=-1', `bytes=${3 * MiB}-`]) {
    const response = await app.inject({ url, headers: { range } })
    t.equal(response.json().code, 'FST_TUS_RANGE')
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

t.test('without a length, the total is omitted, and the response ends with the upload', async (t) => {
  const { create, patch, read } = await rig(t)
  const url = await create('deferred')
  const reader = await read(url, { range: 'bytes=2-' })
  t.equal(reader.status, 200, 'without a length, a range request gets the complete upload')
  t.match(reader.headers, { 'transfer-encoding': 'chunked', 'accept-ranges': 'none', 'cache-control': 'no-store' })
  await patch(url, 0, 'abc')
  await reader.has(3)
  await patch(url, 3, 'def')
  await reader.has(6)
  await patch(url, 6, '', { 'upload-length': '6' })
  t.equal((await reader.all).toString(), 'abcdef')
})

t.test('If-Range never matches without a tag', async (t) => {
  const { create, patch, read } = await rig(t)
  const url = await create(6)
  const reader = await read(url, { range: 'bytes=2-', 'if-range': '"x"' })
  t.equal(reader.status, 200)
  await patch(url, 0, 'abcdef')
  t.equal((await reader.all).toString(), 'abcdef')
})

t.test('?from= starts at a position, stored or not', async (t) => {
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
  t.equal((await app.inject(`${url}?from=7`)).body, 'hi', 'of a finished upload too')
  const end = await app.inject(`${url}?from=9`)
  t.equal(end.statusCode, 200, 'a reader at the end gets an empty response')
  t.equal(end.body, '')
  const beyond = await app.inject(`${url}?from=10`)
  t.equal(beyond.statusCode, 416)
  t.equal(beyond.headers['content-range'], 'bytes */9')
  t.equal(beyond.json().message, 'Range not satisfiable')
  for (const from of ['', '-1', '1.5', 'x', '1&from=2', '99999999999999999999']) {
    const response = await app.inject(`${url}?from=${from}`)
    t.equal(response.statusCode, 400, from)
    t.match(response.json(), { code: 'FST_TUS_INVALID_QUERY' })
  }
  const deferred = await create('deferred')
  const ahead = await app.inject(`${deferred}?from=${MiB + 1}`)
  t.equal(ahead.statusCode, 416)
  t.notOk('content-range' in ahead.headers, 'the total is unknown')
})

t.test('a final upload that waits for its parts is served while it grows', async (t) => {
  const { create, patch, post, read } = await rig(t)
  const part = await create(3, { 'upload-concat': 'partial' })
  const { headers } = await post({ 'upload-concat': `final;${part} ${part}` })
  const reader = await read(String(headers.location))
  t.equal(reader.headers['content-length'], '6')
  await patch(part, 0, 'abc')
  t.equal((await reader.all).toString(), 'abcabc')
})

t.test('a growing upload is also served over HTTP/2', async (t) => {
  const { create, patch, listen } = await build(t, { download: { growing: true } }, { http2: true } as never)
  const url = await create(6)
  const session = http2.connect(await listen())
  t.teardown(() => session.destroy())
  const stream = session.request({ ':path': url, range: 'bytes=1-' })
  const [headers] = await once(stream, 'response') as [http2.IncomingHttpHeaders]
  t.match(headers, { ':status': 206, 'content-range': 'bytes 1-5/6' })
  const ended = once(stream, 'end')
  let received = ''
  stream.on('data', (bytes: Buffer) => { received += bytes.toString() })
  await patch(url, 0, 'abc')
  await until(() => received === 'bc')
  await patch(url, 3, 'def')
  await ended
  t.equal(received, 'bcdef')
})

t.test('an empty upload ends at once', async (t) => {
  const built = await rig(t)
  t.equal((await built.app.inject(`${await finished(built, '')}?from=0`)).body, '')
})

t.test('a hook of the app may wrap the stream, and be slow', async (t) => {
  const { create, patch, read } = await rig(t, {}, (app) => {
    app.addHook('onSend', async (_request, _reply, payload) => {
      if (!(payload instanceof Readable)) return payload
      const through = payload.pipe(new PassThrough())
      await once(payload, 'resume')
      await new Promise((resolve) => setImmediate(resolve))
      return through
    })
  })
  const url = await create(6, { 'upload-metadata': metadataOf({ filetype: 'video/mp4' }) })
  const reader = await read(url, { range: 'bytes=0-' })
  t.equal(reader.status, 206)
  t.match(reader.headers, { 'content-type': 'video/mp4', 'content-range': 'bytes 0-5/6' })
  await patch(url, 0, 'abcdef')
  t.equal((await reader.all).toString(), 'abcdef')
})
