import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'
import { deflateRawSync } from 'node:zlib'
import t from 'tap'
import type { Test } from 'tap'
import type { FastifyTusOptions } from '../../../plugin/index.ts'
import { build, OFFSET_OCTET_STREAM, sampleBytes, until } from '../../helper.ts'
import { ForeignStore } from '../../foreign-store.ts'

const clip = await readFile(path.join(import.meta.dirname, '../../fixtures/clip.mp4'))
const png = Buffer.concat([Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'), sampleBytes(20_000)])
const REFUSED = { code: 'FST_TUS_TYPE_REFUSED', statusCode: 415 }

async function rig (t: Test, options: FastifyTusOptions = {}) {
  const built = await build(t, { allowedTypes: ['video/*', 'image/jpeg'], ...options })
  return { ...built, files: async () => await readdir(built.directory) }
}

t.test('a body whose type is not allowed is refused after its first bytes, and nothing is kept', async (t) => {
  const { create, stall, head, files } = await rig(t)
  const url = await create(1e12, { 'upload-metadata': `filetype ${Buffer.from('video/mp4').toString('base64')}` })
  const { response } = await stall(url, 0, 1e12, png)
  const refused = await response
  t.equal(refused.status, 415)
  t.match(JSON.parse(refused.body), { ...REFUSED, message: 'Content of type image/png is not accepted' })
  t.equal((await head(url)).statusCode, 404)
  t.same(await files(), [])
})

t.test('a body of an allowed type is accepted, whatever the client declares', async (t) => {
  const { create, patch, stored } = await rig(t)
  const url = await create(clip.length, { 'upload-metadata': `filetype ${Buffer.from('text/html').toString('base64')}` })
  t.equal((await patch(url, 0, clip)).statusCode, 204)
  t.ok((await stored(url)).equals(clip))
})

t.test('a long body is checked once, by its first bytes', async (t) => {
  const { create, stall } = await rig(t)
  const long = Buffer.concat([clip, sampleBytes(3 * 1024 * 1024)])
  const { response } = await stall(await create(long.length), 0, long.length, long)
  t.equal((await response).status, 204)
})

t.test('first bytes that arrive in several requests are checked together', async (t) => {
  const { create, patch, head, files } = await rig(t)
  for (const [bytes, status] of [[clip, 204], [png, 415]] as const) {
    const url = await create(bytes.length)
    let offset = 0
    for (const step of [1, 1, 3, 500, 3000]) {
      t.equal((await patch(url, offset, bytes.subarray(offset, offset + step))).statusCode, 204)
      offset += step
    }
    const response = await patch(url, offset, bytes.subarray(offset))
    t.equal(response.statusCode, status)
    t.equal((await head(url)).statusCode, status === 204 ? 200 : 404)
  }
  t.equal((await files()).length, 2, 'one upload and its record')
})

t.test('a short upload is checked once it is complete', async (t) => {
  const { create, patch, post, files } = await rig(t)
  const complete = { 'upload-length': '16', 'content-type': OFFSET_OCTET_STREAM }
  t.match((await post(complete, png.subarray(0, 16))).json(), REFUSED)
  t.match((await post({ 'upload-length': '0' })).json(), REFUSED, 'an empty upload')
  const url = await create(16)
  t.equal((await patch(url, 0, png.subarray(0, 8))).statusCode, 204)
  t.match((await patch(url, 8, png.subarray(8, 16))).json(), REFUSED)
  const deferred = await create('deferred')
  t.equal((await patch(deferred, 0, png.subarray(0, 100))).statusCode, 204)
  t.match((await patch(deferred, 100, '', { 'upload-length': '100' })).json(), REFUSED)
  t.same(await files(), [])
})

t.test('the body of a creation is checked too, and a refusal leaves no upload', async (t) => {
  const { post, files } = await rig(t)
  const response = await post({ 'upload-length': String(png.length), 'content-type': OFFSET_OCTET_STREAM }, png)
  t.match(response.json(), REFUSED)
  t.notOk(response.headers.location)
  t.same(await files(), [])
})

t.test('parts are not checked, but their concatenation is', async (t) => {
  const { create, patch, post, head, files, logs } = await rig(t)
  const partsOf = async (bytes: Buffer) => {
    const half = bytes.length >> 1
    const parts = [bytes.subarray(0, half), bytes.subarray(half)]
    return await Promise.all(parts.map(async (part) => {
      const url = await create(part.length, { 'upload-concat': 'partial' })
      t.equal((await patch(url, 0, part)).statusCode, 204)
      return url
    }))
  }
  const [video, image] = [await partsOf(clip), await partsOf(png)]
  t.equal((await post({ 'upload-concat': `final;${video.join(' ')}` })).statusCode, 201)
  t.match((await post({ 'upload-concat': `final;${image.join(' ')}` })).json(), REFUSED)
  t.equal((await files()).length, 2 * (4 + 1), 'the parts and the video')

  const late = await create(png.length, { 'upload-concat': 'partial' })
  const waiting = (await post({ 'upload-concat': `final;${late}` })).headers.location as string
  t.equal((await patch(late, 0, png)).statusCode, 204)
  await until(() => logs.some(({ msg }) => msg === 'upload discarded'))
  t.equal((await head(waiting)).statusCode, 404, 'a final upload that waited for its parts is deleted')
})

t.test('content without a signature is text if it is valid UTF-8 without control characters', async (t) => {
  const { post } = await rig(t, { allowedTypes: ['text/plain'] })
  const statusOf = async (bytes: Buffer) => {
    const headers = { 'upload-length': String(bytes.length), 'content-type': OFFSET_OCTET_STREAM }
    return (await post(headers, bytes)).statusCode
  }
  for (const text of ['', 'a,b\r\n1,2\n', '{"a": 1}', '视频'.repeat(3000), 'x' + '视频'.repeat(3000)]) {
    t.equal(await statusOf(Buffer.from(text)), 201, text.slice(0, 10))
  }
  for (const other of [Buffer.from('a\0b'), Buffer.from([0x61, 0xff, 0xfe, 0x62]), sampleBytes(9000), clip]) {
    t.equal(await statusOf(other), 415)
  }
})

t.test('unrecognized content is application/octet-stream', async (t) => {
  const { post } = await rig(t, { allowedTypes: ['application/octet-stream'] })
  const bytes = Buffer.from([1, 2, 3])
  t.equal((await post({ 'upload-length': '3', 'content-type': OFFSET_OCTET_STREAM }, bytes)).statusCode, 201)
})

t.test('the finish hook is not called for refused content', async (t) => {
  const { post } = await rig(t, { onUploadFinish: () => { t.fail('the finish hook was called') } })
  t.equal((await post({ 'upload-length': '0' })).statusCode, 415)
})

t.test('a store without range reads is read from the start', async (t) => {
  class ReadableStore extends ForeignStore {
    read (id: string): Readable {
      return Readable.from([this.bytesOf(id), Buffer.alloc(1)])
    }
  }
  const datastore = new ReadableStore()
  const { create, patch } = await build(t, { datastore, allowedTypes: ['video/*'] })
  for (const [bytes, status] of [[clip, 204], [png, 415]] as const) {
    const url = await create(bytes.length)
    t.equal((await patch(url, 0, bytes.subarray(0, 10))).statusCode, 204)
    t.equal((await patch(url, 10, bytes.subarray(10))).statusCode, status)
  }
  await t.rejects(build(t, { datastore: new ForeignStore(), allowedTypes: ['video/*'] }), {
    code: 'FST_TUS_INVALID_OPTION', message: /"allowedTypes" needs a store with the capability "read"/
  })
})

t.test('malformed content of undetectable type is refused like content of unknown type', async (t) => {
  // Node.js 24 throws this error if data follows the end of the compressed stream.
  t.intercept(globalThis, 'DecompressionStream', {
    value: class {
      constructor () {
        throw Object.assign(new TypeError('Trailing junk'), { code: 'ERR_TRAILING_JUNK_AFTER_STREAM_END' })
      }
    }
  })
  const { post, files } = await rig(t)
  const compressed = Buffer.concat([deflateRawSync('application/epub+zip'), Buffer.from('junk')])
  const header = Buffer.alloc(30)
  header.writeUInt32LE(0x04034b50, 0)
  header.writeUInt16LE(8, 8)
  header.writeUInt32LE(compressed.length, 18)
  header.writeUInt32LE(20, 22)
  header.writeUInt16LE('mimetype'.length, 26)
  const zip = Buffer.concat([header, Buffer.from('mimetype'), compressed])
  const { statusCode, json } = await post({
    'upload-length': String(zip.length), 'content-type': OFFSET_OCTET_STREAM
  }, zip)
  t.equal(statusCode, 415)
  t.match(json(), { ...REFUSED, message: 'Content of type application/octet-stream is not accepted' })
  t.same(await files(), [])
})
