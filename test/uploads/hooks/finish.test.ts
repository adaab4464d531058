import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import type { FastifyTusHooks, Upload } from '../../../plugin/index.ts'
import { build, OFFSET_OCTET_STREAM } from '../../helper.ts'

type OnFinish = NonNullable<FastifyTusHooks['onUploadFinish']>

/** A hook that records the uploads for which it was called. */
function record (): { finished: Upload[], onUploadFinish: OnFinish } {
  const finished: Upload[] = []
  return { finished, onUploadFinish: (_request, upload) => { finished.push(upload) } }
}

t.test('onUploadFinish is called once, after the last byte is stored', async (t) => {
  const calls: Array<{ method: string | undefined, upload: Upload, bytes: string }> = []
  const { create, patch, head } = await build(t, {
    onUploadFinish: async (request, upload) => {
      calls.push({ method: request?.method, upload, bytes: await readFile(upload.storage?.path ?? '', 'utf8') })
    }
  })
  const location = await create(6, { 'upload-metadata': 'name YQ==' })
  await patch(location, 0, 'abc')
  await head(location)
  t.same(calls, [], 'not before')
  t.equal((await patch(location, 3, 'def')).statusCode, 204)
  const upload = { id: path.basename(location), offset: 6, size: 6, metadata: { name: 'a' } }
  t.match(calls, [{ method: 'PATCH', upload, bytes: 'abcdef' }])
  await head(location)
  await patch(location, 6)
  t.equal(calls.length, 1)
})

t.test('CREATE-05 creating an empty upload completes it', async (t) => {
  const { finished, onUploadFinish } = record()
  const { post, head, patch } = await build(t, { onUploadFinish })
  const { statusCode, headers } = await post({ 'upload-length': '0' })
  t.equal(statusCode, 201)
  const location = headers.location as string
  t.match(finished, [{ id: path.basename(location), offset: 0, size: 0 }])
  t.match((await head(location)).headers, { 'upload-offset': '0', 'upload-length': '0' })
  t.equal((await patch(location, 0)).statusCode, 204)
  t.equal(finished.length, 1)
})

t.test('CWU-03 a creation with all bytes completes the upload', async (t) => {
  const { finished, onUploadFinish } = record()
  const { post } = await build(t, { onUploadFinish })
  const type = { 'content-type': OFFSET_OCTET_STREAM }
  t.equal((await post({ ...type, 'upload-length': '4' }, 'abc')).statusCode, 201)
  t.same(finished, [])
  t.equal((await post({ ...type, 'upload-length': '3' }, 'abc')).statusCode, 201)
  t.match(finished, [{ offset: 3, size: 3 }])
})

t.test('DEFER-08 declaring the length completes an upload that has all its bytes', async (t) => {
  const { finished, onUploadFinish } = record()
  const { create, patch } = await build(t, { onUploadFinish })
  const location = await create('deferred')
  await patch(location, 0, 'abc')
  t.same(finished, [])
  t.equal((await patch(location, 3, undefined, { 'upload-length': '3' })).statusCode, 204)
  t.match(finished, [{ offset: 3, size: 3 }])
  const empty = await create('deferred')
  t.equal((await patch(empty, 0, undefined, { 'upload-length': '0' })).statusCode, 204)
  t.match(finished[1], { id: path.basename(empty), offset: 0, size: 0 })
})

t.test('PATCH-09 an empty PATCH of a finished upload does not call onUploadFinish again', async (t) => {
  const { finished, onUploadFinish } = record()
  const { create, patch } = await build(t, { onUploadFinish })
  const location = await create(3)
  await patch(location, 0, 'abc')
  for (let i = 0; i < 3; i++) {
    const { statusCode, headers } = await patch(location, 3)
    t.equal(statusCode, 204)
    t.equal(headers['upload-offset'], '3')
  }
  t.equal((await patch(location, 3, 'd')).statusCode, 413)
  t.equal(finished.length, 1)
})

t.test('onUploadFinish can change the response', async (t) => {
  let response: ReturnType<OnFinish>
  const { create, patch, post } = await build(t, { onUploadFinish: () => response })
  const finishByPatch = async () => await patch(await create(3), 0, 'abc')

  response = { headers: { 'x-video': '7' } }
  t.match(await finishByPatch(), { statusCode: 204, headers: { 'x-video': '7', 'upload-offset': '3' }, body: '' })
  t.match(await post({ 'upload-length': '0' }), { statusCode: 201, headers: { 'x-video': '7', location: /files/ } })

  const json = { headers: { 'content-type': 'application/json' }, body: '{"video":7}' }
  response = Promise.resolve(json)
  const withBody = { headers: { 'content-type': 'application/json', 'upload-offset': '3' }, body: '{"video":7}' }
  t.match(await finishByPatch(), { ...withBody, statusCode: 200 })
  t.match(await post({ 'upload-length': '0' }), { statusCode: 201, body: '{"video":7}' })

  response = { ...json, statusCode: 202 }
  t.match(await finishByPatch(), { ...withBody, statusCode: 202 })
  t.match(await post({ 'upload-length': '0' }), { statusCode: 202, headers: { location: /files/ }, body: '{"video":7}' })

  response = {}
  t.match(await finishByPatch(), { statusCode: 204, body: '' })
})

t.test('only the response to the request that completes the upload is changed', async (t) => {
  const { create, patch } = await build(t, { onUploadFinish: () => ({ body: 'done', headers: { 'x-video': '7' } }) })
  const location = await create(3)
  t.notOk('x-video' in (await patch(location, 0, 'ab')).headers)
  t.equal((await patch(location, 2, 'c')).body, 'done')
  t.match(await patch(location, 3), { statusCode: 204, body: '', headers: { 'x-video': undefined } })
})

t.test('a request that arrives while onUploadFinish runs waits for it', async (t) => {
  let resume = () => {}
  let called = () => {}
  const running = new Promise<void>((resolve) => { called = resolve })
  const mayEnd = new Promise<void>((resolve) => { resume = resolve })
  let calls = 0
  const { create, patch, head } = await build(t, {
    onUploadFinish: async () => {
      calls++
      called()
      await mayEnd
    }
  })
  const location = await create(3)
  const order: string[] = []
  const patched = patch(location, 0, 'abc').then(({ statusCode }) => order.push(`PATCH ${statusCode}`))
  await running
  const asked = head(location).then(({ statusCode }) => order.push(`HEAD ${statusCode}`))
  resume()
  await Promise.all([patched, asked])
  t.same(order, ['PATCH 204', 'HEAD 200'])
  t.equal(calls, 1)
})

t.test('a result of onUploadFinish that HTTP cannot carry is a 500, and the upload is finished', async (t) => {
  const given = [
    () => ({ body: createReadStream('/nonexistent/receipt.pdf') }), () => ({ body: { video: 7 } }),
    () => ({ statusCode: 999 }), () => ({ statusCode: Number.NaN }), () => ({ statusCode: 100 })
  ]
  let calls = 0
  const { create, patch, head } = await build(t, { onUploadFinish: () => given[calls++]?.() as never })
  while (calls < given.length) {
    const location = await create(3)
    const reply = await patch(location, 0, 'abc')
    t.match(reply.json(), { statusCode: 500, code: 'FST_TUS_INTERNAL' })
    t.notMatch(reply.body, /receipt|999/)
    t.match(await head(location), { statusCode: 200, headers: { 'upload-offset': '3' } })
  }
  t.equal(calls, given.length)
})

t.test('changes of onUploadFinish to its upload object do not affect the response', async (t) => {
  const { create, patch, head } = await build(t, {
    onUploadFinish: (_request, upload) => { Object.assign(upload, { id: 'other', offset: 0, size: 1 }) }
  })
  const location = await create(3)
  t.match(await patch(location, 0, 'abc'), { statusCode: 204, headers: { 'upload-offset': '3' } })
  t.match(await head(location), { statusCode: 200, headers: { 'upload-offset': '3' } })
})
