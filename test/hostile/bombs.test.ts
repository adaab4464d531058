/** Small requests that ask for much work (EDGE-75). */
import { readdir } from 'node:fs/promises'
import t from 'tap'
import { build, sampleBytes } from '../helper.ts'
import { rawRequest } from '../raw-request.ts'

const partial = { 'upload-concat': 'partial' }

t.test('EDGE-75 a final upload of 10,000 parts is refused before its URLs are parsed', async (t) => {
  const large = { http: { maxHeaderSize: 1024 * 1024 } } as never
  const { app, directory, listen, create, patch } = await build(t, {}, large)
  const part = await create(1, partial)
  await patch(part, 0, 'a')
  const files = await readdir(directory)
  const many = { 'tus-resumable': '1.0.0', 'upload-concat': `final;${`${part} `.repeat(10_000)}` }
  const { response } = await rawRequest(t, await listen(), 'POST', '/files', many)
  const reply = await response
  t.equal(reply.status, 400)
  t.match(JSON.parse(reply.body), { code: 'FST_TUS_INVALID_PARTS', message: /at most 1000 parts/ })
  t.same(await readdir(directory), files)
  await app.close()
})

t.test('EDGE-75 too many parts are refused before the URL of any is parsed', async (t) => {
  const { post } = await build(t)
  const refused = await post({ 'upload-concat': `final;${'javascript:x '.repeat(1001)}` })
  t.match(refused.json(), { code: 'FST_TUS_INVALID_PARTS', message: /at most 1000 parts/ })
  const allowed = await post({ 'upload-concat': `final;${'javascript:x '.repeat(1000)}` })
  t.match(allowed.json(), { code: 'FST_TUS_INVALID_HEADER' })
})

t.test('EDGE-75 by default so many parts exceed the header limit', async (t) => {
  const { directory, listen } = await build(t)
  const many = { 'tus-resumable': '1.0.0', 'upload-concat': `final;${'/files/a '.repeat(10_000)}` }
  const { response } = await rawRequest(t, await listen(), 'POST', '/files', many)
  t.equal((await response).status, 431)
  t.same(await readdir(directory), [])
})

t.test('EDGE-75 one part 400 times is a valid final upload, within the maximum size', async (t) => {
  const { app, directory, create, patch, post, stored } = await build(t, { maxSize: 4000 })
  const bytes = sampleBytes(10)
  const part = await create(10, partial)
  await patch(part, 0, bytes)
  const right = await post({ 'upload-concat': `final;${`${part} `.repeat(400)}` })
  t.equal(right.statusCode, 201)
  t.ok((await stored(right.headers.location as string)).equals(Buffer.concat(Array.from({ length: 400 }, () => bytes))))
  const files = await readdir(directory)
  const tooLong = await post({ 'upload-concat': `final;${`${part} `.repeat(401)}` })
  t.match(tooLong.json(), { statusCode: 413, code: 'FST_TUS_TOO_LARGE' })
  t.same(await readdir(directory), files)
  await app.close()
})

t.test('EDGE-75 a total size beyond the safe integers is refused', async (t) => {
  const { directory, create, post } = await build(t)
  const part = await create(Number.MAX_SAFE_INTEGER, partial)
  const files = await readdir(directory)
  const reply = await post({ 'upload-concat': `final;${part} ${part}` })
  t.match(reply.json(), { statusCode: 400, code: 'FST_TUS_LENGTH_MISMATCH' })
  t.same(await readdir(directory), files)
})

t.test('EDGE-75 a final upload cannot be a part of a final upload, nor of itself', async (t) => {
  let id = 'part'
  const { directory, create, patch, post } = await build(t, { namingFunction: () => id })
  const part = await create(1, partial)
  await patch(part, 0, 'a')
  id = 'final'
  t.equal((await post({ 'upload-concat': `final;${part}` })).statusCode, 201)
  id = 'second'
  const files = await readdir(directory)
  for (const urls of ['/files/final', '/files/second', `${part} /files/final`, `${part} /files/second`]) {
    const reply = await post({ 'upload-concat': `final;${urls}` })
    t.match(reply.json(), { statusCode: 400, code: 'FST_TUS_INVALID_PARTS' }, urls)
  }
  t.same(await readdir(directory), files)
})

t.test('EDGE-75 10 final uploads that wait for one part all get its bytes', async (t) => {
  const { app, create, patch, post, head, stored } = await build(t)
  const part = await create(3, partial)
  const finals: string[] = []
  for (let i = 0; i < 10; i++) {
    finals.push((await post({ 'upload-concat': `final;${part} ${part}` })).headers.location as string)
  }
  t.equal((await patch(part, 0, 'abc')).statusCode, 204)
  for (const final of finals) t.match((await head(final)).headers, { 'upload-offset': '6', 'upload-length': '6' })
  for (const final of finals) t.equal((await stored(final)).toString(), 'abcabc')
  await app.close()
})
