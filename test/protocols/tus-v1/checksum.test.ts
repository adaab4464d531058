import { createHash } from 'node:crypto'
import t from 'tap'
import { build, OFFSET_OCTET_STREAM } from '../../helper.ts'
import { rawRequest } from '../../raw-request.ts'

const sum = (body: string, algorithm = 'sha1') =>
  `${algorithm} ${createHash(algorithm).update(body).digest('base64')}`

/** The lines of a chunked body with trailers. */
const chunked = (body: string, trailers = '') => `${body === '' ? '' : `${body.length}\r\n${body}\r\n`}0\r\n${trailers}\r\n`

const trailing = (offset: number) => ({
  'tus-resumable': '1.0.0',
  'upload-offset': String(offset),
  'content-type': OFFSET_OCTET_STREAM,
  'transfer-encoding': 'chunked',
  trailer: 'X-Other, upload-checksum'
})

t.test('CKSUM-03 a wrong checksum is a 460 with its reason phrase, and the body does not count', async (t) => {
  const app = await build(t)
  const location = await app.create(5)
  const { response } = await app.stall(location, 0, 5, 'hello', { 'upload-checksum': sum('other') })
  const { status, headers } = await response
  t.match({ status, headers }, { status: 460, headers: { 'upload-offset': '0' } })
  t.equal((await app.head(location)).headers['upload-offset'], '0')
  t.equal((await app.stored(location)).length, 0, 'it is not even stored')
})

t.test('CKSUM-02 each advertised algorithm verifies', async (t) => {
  const app = await build(t)
  const offered = String((await app.request('OPTIONS', '/files')).headers['tus-checksum-algorithm']).split(',')
  t.equal(offered[0], 'sha1')
  for (const algorithm of offered) {
    const location = await app.create(5)
    const response = await app.patch(location, 0, 'hello', { 'upload-checksum': sum('hello', algorithm) })
    t.equal(response.statusCode, 204, algorithm)
  }
})

t.test('CWU-07 a creation with a wrong checksum leaves nothing', async (t) => {
  const app = await build(t)
  const headers = { 'upload-length': '5', 'content-type': OFFSET_OCTET_STREAM, 'upload-checksum': sum('other') }
  const response = await app.post(headers, 'hello')
  t.equal(response.statusCode, 460)
  const stored = await app.post({ ...headers, 'upload-checksum': sum('hello') }, 'hello')
  t.match(stored, { statusCode: 201, headers: { 'upload-offset': '5' } })
})

t.test('CKSUM-06 a checksummed body that is interrupted does not count', async (t) => {
  const app = await build(t)
  const location = await app.create(10)
  await app.patch(location, 0, 'ab')
  const { socket, response } = await app.stall(location, 2, 8, 'cdef', { 'upload-checksum': sum('cdefghij') })
  await app.untilStored(location, 6)
  socket.destroy()
  await t.rejects(response)
  t.equal((await app.head(location)).headers['upload-offset'], '2')
})

t.test('CKSUM-08 CKSUM-09 a trailer verifies the body, empty or not', async (t) => {
  const app = await build(t)
  const base = await app.listen()
  const location = await app.create(5)
  const send = async (offset: number, body: string, trailers: string) =>
    await (await rawRequest(t, base, 'PATCH', location, trailing(offset), chunked(body, trailers))).response
  t.equal((await send(0, 'hello', `Upload-Checksum: ${sum('other')}\r\n`)).status, 460)
  t.equal((await send(0, 'hello', '')).status, 400)
  t.equal((await send(0, '', `Upload-Checksum: ${sum('')}\r\n`)).status, 204)
  t.equal((await send(0, 'hello', `Upload-Checksum: ${sum('hello', 'sha256')}\r\n`)).status, 204)
  t.equal((await app.stored(location)).toString(), 'hello')
})

t.test('CKSUM-09 a checksum both before and after a body is refused, announced or not', async (t) => {
  const app = await build(t)
  const base = await app.listen()
  const location = await app.create(5)
  const headers = { ...trailing(0), 'upload-checksum': sum('hello') }
  const body = chunked('hello', `Upload-Checksum: ${sum('hello')}\r\n`)
  for (const trailer of ['Upload-Checksum', 'X-Other']) {
    const { response } = await rawRequest(t, base, 'PATCH', location, { ...headers, trailer }, body)
    t.match(await response, { status: 400, body: /is a header and a trailer|FST_TUS_CHECKSUM_TWICE/ }, trailer)
  }
  t.equal((await app.head(location)).headers['upload-offset'], '0')
})

t.test('CKSUM-10 without checksum-trailer, trailers are ignored, and the header still works', async (t) => {
  const app = await build(t, { extensions: { 'checksum-trailer': false } })
  const base = await app.listen()
  const location = await app.create(5)
  const body = chunked('he', `Upload-Checksum: ${sum('other')}\r\n`)
  t.equal((await (await rawRequest(t, base, 'PATCH', location, trailing(0), body)).response).status, 204)
  t.equal((await app.patch(location, 2, 'llo', { 'upload-checksum': sum('other') })).statusCode, 460)
  t.equal((await app.patch(location, 2, 'llo', { 'upload-checksum': sum('llo') })).statusCode, 204)
})

t.test('CKSUM-04 DEFER-03 a length that comes with a wrong checksum is not recorded', async (t) => {
  const { create, patch, head } = await build(t)
  const location = await create('deferred')
  const wrong = `sha1 ${createHash('sha1').update('other').digest('base64')}`
  const refused = await patch(location, 0, 'abc', { 'upload-length': '3', 'upload-checksum': wrong })
  t.equal(refused.statusCode, 460)
  t.match((await head(location)).headers, { 'upload-defer-length': '1', 'upload-length': undefined })
  t.equal((await patch(location, 0, 'abcd', { 'upload-length': '4' })).statusCode, 204)
})
