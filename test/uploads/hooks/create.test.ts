import { readdir } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import type { Upload, UploadMetadata } from '../../../plugin/index.ts'
import { build, OFFSET_OCTET_STREAM } from '../../helper.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')

t.test('onUploadCreate gets the upload before it is created', async (t) => {
  let seen: Upload | undefined
  let there: string[] | undefined
  const { directory, post } = await build(t, {
    onUploadCreate: async (request, upload) => {
      t.equal(request.method, 'POST')
      seen = upload
      there = await readdir(directory)
    }
  })
  const { headers } = await post({ 'upload-length': '3', 'upload-metadata': `filename ${base64('a.txt')},private` })
  t.match(seen, {
    id: path.basename(headers.location as string),
    size: 3,
    offset: 0,
    metadata: { filename: 'a.txt', private: null }
  })
  t.same(there, [])
})

t.test('CREATE-09 a refusal by onUploadCreate leaves nothing in the store', async (t) => {
  const { directory, post } = await build(t, {
    onUploadCreate: () => { throw Object.assign(new Error('no videos, please'), { statusCode: 415 }) }
  })
  const withUpload = { 'upload-length': '3', 'content-type': OFFSET_OCTET_STREAM }
  for (const response of [await post({ 'upload-length': '3' }), await post(withUpload, 'abc')]) {
    t.equal(response.statusCode, 415)
    t.equal(response.json().message, 'no videos, please')
    t.notOk('location' in response.headers)
  }
  t.same(await readdir(directory), [])
})

t.test('an onUploadCreate that fails unexpectedly refuses the request without giving the reason', async (t) => {
  const { directory, post } = await build(t, { onUploadCreate: async () => { throw new Error('no connection') } })
  const response = await post({ 'upload-length': '3' })
  t.equal(response.statusCode, 500)
  t.match(response.json(), { code: 'FST_TUS_HOOK_FAILED' })
  t.notMatch(response.body, 'no connection')
  t.same(await readdir(directory), [])
})

t.test('metadata returned by onUploadCreate replaces that of the client', async (t) => {
  const { app, post, head } = await build(t, {
    onUploadCreate: async (_request, { metadata }) => ({ metadata: { ...metadata, filename: 'b.txt', owner: null } })
  })
  const { headers } = await post({ 'upload-length': '0', 'upload-metadata': `filename ${base64('a.txt')},n ${base64('1')}` })
  const location = headers.location as string
  t.equal((await head(location)).headers['upload-metadata'], `filename ${base64('b.txt')},n ${base64('1')},owner`)
  t.match((await app.inject(location)).headers['content-disposition'], 'b.txt')
})

t.test('HEAD-07 if onUploadCreate returns no metadata, that of the client is kept as sent', async (t) => {
  for (const returned of [undefined, {}]) {
    const { post, head } = await build(t, { onUploadCreate: () => returned })
    const sent = 'z /w==,a,filename YQ=='
    const { headers } = await post({ 'upload-length': '3', 'upload-metadata': sent })
    t.equal((await head(headers.location as string)).headers['upload-metadata'], sent)
  }
})

t.test('metadata returned by onUploadCreate has the limits of metadata of clients', async (t) => {
  const keys = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, null]))
  // In base64, 6138 bytes are 8184.
  const cases: Array<[metadata: UploadMetadata, statusCode: number]> = [
    [{ 1234567: 'x'.repeat(6138) }, 201],
    [{ 12345: 'x'.repeat(6138), a: null }, 201],
    [{ 12345678: 'x'.repeat(6138) }, 500],
    [{ 123456: 'x'.repeat(6138), a: null }, 500],
    [{ 1234567: 'é'.repeat(3069) }, 201],
    [{ 1234567: 'é'.repeat(3070) }, 500],
    [{}, 201],
    [keys(100), 201],
    [keys(101), 500],
    [{ 'a b': 'c' }, 500],
    [{ a: 1 as unknown as string }, 500]
  ]
  for (const [metadata, statusCode] of cases) {
    const { post, head } = await build(t, { onUploadCreate: () => ({ metadata }) })
    const title = JSON.stringify(metadata).slice(0, 40)
    const created = await post({ 'upload-length': '3' })
    t.equal(created.statusCode, statusCode, title)
    if (statusCode === 500) {
      t.match(created.json(), { code: 'FST_TUS_HOOK_FAILED' }, title)
      continue
    }
    const { headers } = await head(created.headers.location as string)
    const returned = String(headers['upload-metadata'] ?? '')
    const again = await (await build(t)).post({ 'upload-length': '3', 'upload-metadata': returned })
    t.equal(again.statusCode, 201, `a client may send ${title}`)
  }
})
