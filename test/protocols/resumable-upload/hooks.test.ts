import { truncate } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import type { Upload } from '../../../plugin/index.ts'
import { buildResumable, locationOf, version } from './client.ts'

function refusal (statusCode: number): Error {
  return Object.assign(new Error('no'), { statusCode })
}

t.test('RUFH-34 hooks get the metadata of the header fields under the keys of tus', async (t) => {
  const created: Upload[] = []
  const { begin } = await buildResumable(t, { onUploadCreate: (_request, upload) => { created.push(upload) } })
  await begin('?0', 'a', {
    'content-type': 'video/mp4; a=b',
    'content-encoding': 'identity, gzip',
    'content-disposition': "inline; filename*=UTF-8''caf%C3%A9%20%2e.mp4"
  })
  t.match(created[0], {
    protocol: 'resumable-upload',
    complete: false,
    metadata: { filename: 'café ..mp4', filetype: 'video/mp4; a=b', contentEncoding: 'gzip' }
  })
  await begin('?0', 'a', { 'upload-metadata': 'filename YQ==,x', 'content-disposition': 'inline; filename=b' })
  t.same(created[1]?.metadata, { filename: 'a', x: null }, 'Upload-Metadata comes first')
  t.equal(created[1]?.rawMetadata, 'filename YQ==,x')
})

t.test('RUFH-79 a name is metadata, never a path, and cut', async (t) => {
  const names: unknown[] = []
  const { begin } = await buildResumable(t, {
    onUploadCreate: (_request, { metadata }) => { names.push(metadata?.['filename']) }
  })
  const dispositions = [
    'inline; filename="../../x"', 'inline; filename="C:\\\\a\\\\b.txt"', 'inline; filename=".."',
    'inline; filename="a/"',
    "inline; filename*=UTF-8''%0D%0ASet-Cookie%3Aa", `inline; filename=${'a'.repeat(4096)}`, 'inline', 'inline; =', '"'
  ]
  for (const disposition of dispositions) await begin('?0', '', { 'content-disposition': disposition })
  t.same(names, [
    'x', 'b.txt', undefined, undefined, 'Set-Cookie:a', 'a'.repeat(255), undefined, undefined, undefined
  ])
})

t.test('RUFH-56 the refusal of the finish hook is the final response', async (t) => {
  const { begin, append, state } = await buildResumable(t, { onUploadFinish: () => { throw refusal(422) } })
  t.match(await begin('?1', 'abc'), { statusCode: 422, headers: { 'upload-complete': '?1' } })
  const location = locationOf(await begin('?0', 'abc'))
  t.match(await append(location, 3, '?1', 'd'), { statusCode: 422, headers: { 'upload-complete': '?1' } })
  t.match(await state(location), { statusCode: 410, headers: { 'upload-complete': '?0' } })
})

t.test('case 51: a finish hook that fails may be called again', async (t) => {
  let calls = 0
  const { begin, append, state } = await buildResumable(t, {
    onUploadFinish: () => {
      calls++
      if (calls < 3) throw new Error('down')
      return { statusCode: 200, body: 'done', headers: { 'x-id': '7' } }
    }
  })
  const location = locationOf(await begin('?0', 'abc'))
  t.match(await append(location, 3, '?1'), { statusCode: 500, headers: { 'upload-complete': '?0' } })
  t.match(await state(location), { statusCode: 423, headers: { 'upload-complete': '?0', 'retry-after': '1' } })
  const last = await append(location, 3, '?1')
  t.match(last, { statusCode: 200, body: 'done', headers: { 'upload-complete': '?1', 'x-id': '7' } })
  t.match(await append(location, 3, '?1'), { statusCode: 201, headers: { 'upload-complete': '?1', location } })
  t.equal(calls, 3)
})

t.test('RUFH-80 authorize runs for each append, before another request is displaced', async (t) => {
  let isAllowed = true
  const { begin, append, state, send } = await buildResumable(t, { authorize: () => isAllowed })
  const location = locationOf(await begin('?0', 'abc'))
  isAllowed = false
  const refused = [await append(location, 3, '?1', 'd'), await state(location), await send('DELETE', location)]
  for (const response of refused) {
    t.match(response, { statusCode: 403, headers: { 'upload-complete': '?0', 'upload-offset': undefined } })
  }
  isAllowed = true
  t.match(await state(location), { statusCode: 204, headers: { 'upload-offset': '3', 'upload-complete': '?0' } })
})

t.test('case 33: a hook of the app refuses before anything is created', async (t) => {
  const { begin } = await buildResumable(t, {}, (app) => {
    app.addHook('onRequest', async (_request, reply) => await reply.code(401).send())
  })
  t.match(await begin('?1', 'abc'), {
    statusCode: 401, headers: { 'upload-complete': '?0', 'upload-draft-interop-version': '9', location: undefined }
  })
})

t.test('RUFH-48 an upload whose bytes are lost is gone', async (t) => {
  const { begin, append, state, directory } = await buildResumable(t)
  const location = locationOf(await begin('?0', 'abc'))
  await append(location, 3, '?1', 'd')
  await truncate(path.join(directory, path.basename(location)), 1)
  t.match(await state(location), { statusCode: 410, headers: { 'upload-offset': undefined } })
})

t.test('content that allowedTypes refuses is a final refusal', async (t) => {
  const { begin, append, state } = await buildResumable(t, { allowedTypes: ['image/png'] })
  const location = locationOf(await begin('?0'))
  t.match(await append(location, 0, '?1', 'text'), { statusCode: 415, headers: { 'upload-complete': '?1' } })
  t.match(await state(location), { statusCode: 404 })
})

t.test('RUFH-36 a maximum size that depends on the request is in the refusal', async (t) => {
  const { begin, send } = await buildResumable(t, { maxSize: () => 3 })
  t.match(await send('OPTIONS', '/files', version), { statusCode: 204, headers: { 'upload-limit': 'min-size=0' } })
  t.match(await begin('?1', 'abcd'), { statusCode: 413, headers: { 'upload-limit': 'max-size=3' } })
})

t.test('RUFH-81 quotas bind both protocols', async (t) => {
  const { begin } = await buildResumable(t, { expiration: { period: 60_000 }, perClient: { maxUploads: 1 } })
  await begin('?0', 'a')
  t.match(await begin('?0', 'a'), {
    statusCode: 429, headers: { 'upload-complete': '?0', 'retry-after': '1', 'upload-limit': /^max-age=/ }
  })
})
