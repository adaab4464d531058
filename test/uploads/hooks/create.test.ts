import { readdir } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import type { Upload } from '../../../plugin/index.ts'
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
