import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { FileStore as TusFileStore } from '@tus/file-store'
import t from 'tap'
import type { Test } from 'tap'
import { build, OFFSET_OCTET_STREAM, sampleBytes, sha256, until } from '../helper.ts'
import type { Built } from '../helper.ts'
import { rawRequest } from '../raw-request.ts'

interface OnUpstream extends Built {
  finished: string[]
  bytesOf (location: string): Promise<Buffer>
}

async function buildOnUpstream (t: Test, expirationPeriodInMilliseconds = 0): Promise<OnUpstream> {
  const directory = t.testdir()
  const finished: string[] = []
  const built = await build(t, {
    datastore: new TusFileStore({ directory, expirationPeriodInMilliseconds }),
    onUploadFinish: (_request, { id }) => { finished.push(id) }
  })
  return { ...built, finished, bytesOf: (location) => readFile(path.join(directory, path.basename(location))) }
}

t.test('CORE-07 the capabilities of the store of @tus/file-store are advertised', async (t) => {
  const able = 'creation,creation-with-upload,creation-defer-length,termination'
  const { request } = await buildOnUpstream(t)
  t.equal((await request('OPTIONS', '/files')).headers['tus-extension'], able)
  const expiring = await buildOnUpstream(t, 3_600_000)
  const { headers } = await expiring.request('OPTIONS', '/files')
  t.same(String(headers['tus-extension']).split(',').sort(), [...able.split(','), 'expiration'].sort())
  t.ok('upload-expires' in (await expiring.post({ 'upload-length': '3' })).headers)
})

t.test('the store of @tus/file-store serves every method', async (t) => {
  const { app, post, patch, head, request, finished, bytesOf } = await buildOnUpstream(t)
  const created = await post({ 'upload-length': '6', 'upload-metadata': 'filename YS50eHQ=,empty' })
  t.equal(created.statusCode, 201)
  const location = created.headers.location as string
  t.match(await patch(location, 0, 'abc'), { statusCode: 204, headers: { 'upload-offset': '3' } })
  t.match(await patch(location, 1, 'x'), { statusCode: 409, headers: { 'upload-offset': '3' } })
  t.match(await head(location), {
    statusCode: 200,
    headers: { 'upload-offset': '3', 'upload-length': '6', 'upload-metadata': 'filename YS50eHQ=,empty' }
  })
  t.equal((await app.inject(location)).statusCode, 404, 'it is not complete yet')
  t.match(await patch(location, 3, 'def'), { statusCode: 204, headers: { 'upload-offset': '6' } })
  t.equal((await patch(location, 6)).statusCode, 204)
  t.same(finished, [path.basename(location)])
  t.equal((await bytesOf(location)).toString(), 'abcdef')
  t.equal((await app.inject(location)).body, 'abcdef')
  t.equal((await request('DELETE', location)).statusCode, 204)
  for (const method of ['HEAD', 'GET', 'DELETE']) t.equal((await request(method, location)).statusCode, 404, method)
  t.equal((await patch(location, 6)).statusCode, 404)
})

t.test('CWU-02 the store of @tus/file-store stores the body of a creation', async (t) => {
  const { post, head, bytesOf, finished } = await buildOnUpstream(t)
  const type = { 'content-type': OFFSET_OCTET_STREAM }
  const part = await post({ ...type, 'upload-length': '6' }, 'abc')
  t.match(part, { statusCode: 201, headers: { 'upload-offset': '3' } })
  t.equal((await head(part.headers.location as string)).headers['upload-offset'], '3')
  const complete = await post({ ...type, 'upload-length': '3' }, 'abc')
  t.equal((await bytesOf(complete.headers.location as string)).toString(), 'abc')
  t.same(finished, [path.basename(complete.headers.location as string)])
  t.equal((await post({ 'upload-length': '0' })).statusCode, 201)
  t.equal(finished.length, 2)
})

t.test('DEFER-02 the store of @tus/file-store records a length that is declared later', async (t) => {
  const { create, patch, head, finished } = await buildOnUpstream(t)
  const location = await create('deferred')
  await patch(location, 0, 'abc')
  t.match((await head(location)).headers, { 'upload-defer-length': '1', 'upload-offset': '3' })
  t.equal((await patch(location, 3, 'de', { 'upload-length': '6' })).statusCode, 204)
  t.match((await head(location)).headers, { 'upload-length': '6', 'upload-offset': '5' })
  t.same(finished, [])
  await patch(location, 5, 'f')
  const other = await create('deferred')
  await patch(other, 0, undefined, { 'upload-length': '0' })
  t.same(finished, [path.basename(location), path.basename(other)])
})

t.test('PATCH-06 the store of @tus/file-store keeps the bytes of an interrupted body', async (t) => {
  const { create, stall, head, patch, bytesOf } = await buildOnUpstream(t)
  const bytes = sampleBytes(300_000)
  const location = await create(bytes.length)
  const { socket } = await stall(location, 0, bytes.length, bytes.subarray(0, 200_000))
  await until(async () => (await bytesOf(location)).length === 200_000)
  socket.resetAndDestroy()
  t.equal((await head(location)).headers['upload-offset'], '200000')
  t.equal((await patch(location, 200_000, bytes.subarray(200_000))).statusCode, 204)
  t.equal(sha256(await bytesOf(location)), sha256(bytes))
})

t.test('LOCK-02 HEAD ends a body that is being written to the store of @tus/file-store', async (t) => {
  const { create, stall, head, bytesOf } = await buildOnUpstream(t)
  const location = await create(6)
  const { response } = await stall(location, 0, 6, 'abc')
  await until(async () => (await bytesOf(location)).length === 3)
  t.equal((await head(location)).headers['upload-offset'], '3')
  t.match(await response, { status: 423, headers: { 'upload-offset': '3', connection: 'close' } })
})

t.test('PATCH-04 a large body is written unchanged to the store of @tus/file-store', async (t) => {
  const { create, listen, bytesOf } = await buildOnUpstream(t)
  const bytes = sampleBytes(6_000_001)
  const location = await create(bytes.length)
  const response = await fetch(`${await listen()}${location}`, {
    method: 'PATCH',
    headers: { 'tus-resumable': '1.0.0', 'content-type': OFFSET_OCTET_STREAM, 'upload-offset': '0' },
    body: bytes
  })
  t.equal(response.status, 204)
  t.equal(sha256(await bytesOf(location)), sha256(bytes))
})

t.test('PATCH-08 the store of @tus/file-store gets no byte beyond the length', async (t) => {
  const { create, listen, patch, head, post, bytesOf, finished } = await buildOnUpstream(t)
  const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`
  for (const [first = '', ...more] of [['abcdefg'], ['abc', 'defg'], ['abcdef', 'g']]) {
    const location = await create(6)
    const { socket, response } = await rawRequest(t, await listen(), 'PATCH', location, {
      'tus-resumable': '1.0.0',
      'content-type': OFFSET_OCTET_STREAM,
      'upload-offset': '0',
      'transfer-encoding': 'chunked'
    })
    socket.write(chunk(first))
    if (first === 'abc') await until(async () => (await bytesOf(location)).length > 0)
    for (const part of more) socket.write(chunk(part))
    t.equal((await response).status, 413)
    const { 'upload-offset': offset } = (await head(location)).headers
    t.ok(Number(offset) < 6, 'and refused bytes do not complete the upload')
    t.equal((await bytesOf(location)).length, Number(offset))
    t.equal((await patch(location, Number(offset), 'abcdef'.slice(Number(offset)))).statusCode, 204)
  }
  t.equal(finished.length, 3)
  t.equal((await patch(await create(3), 0, 'abcd')).statusCode, 413)
  t.equal((await post({ 'upload-length': '3', 'content-type': OFFSET_OCTET_STREAM }, 'abcd')).statusCode, 413)
})

t.test('CKSUM-10 with a store that cannot verify before storing, a checksum is ignored', async (t) => {
  const { create, patch, head, request } = await buildOnUpstream(t)
  const location = await create(3)
  const { statusCode } = await patch(location, 0, 'abc', { 'upload-checksum': 'sha1 AAAAAAAAAAAAAAAAAAAAAAAAAAA=' })
  t.equal(statusCode, 204)
  t.equal((await head(location)).headers['upload-offset'], '3')
  t.notOk('tus-checksum-algorithm' in (await request('OPTIONS', '/files')).headers)
})
