import t from 'tap'
import { MemoryStore } from '../../../plugin/index.ts'
import { build, OFFSET_OCTET_STREAM } from '../../helper.ts'
import { buildResumable, locationOf, version } from './client.ts'

t.test('without the option, requests of the protocol are requests without Tus-Resumable', async (t) => {
  const { app } = await build(t)
  const headers = { ...version, 'upload-complete': '?1' }
  t.match(await app.inject({ method: 'POST', url: '/files', headers, payload: 'abc' }), { statusCode: 412 })
  const options = await app.inject({ method: 'OPTIONS', url: '/files' })
  t.notOk('upload-limit' in options.headers)
})

t.test('the option needs a store that records the end of an upload', async (t) => {
  const store = new MemoryStore()
  const datastore = Object.assign(store, { capabilities: new Set(['creation', 'creation-with-upload']) })
  await t.rejects(build(t, { resumableUpload: true, datastore: datastore as unknown as MemoryStore }), {
    message: /"resumableUpload" needs a store with the capability "updates", "deferred-length"/
  })
})

t.test('case 1: Tus-Resumable wins', async (t) => {
  const { post, begin } = await buildResumable(t)
  const response = await post({ ...version, 'upload-complete': '?1', 'upload-length': '3' })
  t.match(response, { statusCode: 201, headers: { 'tus-resumable': '1.0.0', 'upload-complete': undefined } })
  t.match(await begin('?1', 'abc', { 'tus-resumable': '1.0.0' }), { statusCode: 400 })
  t.match(await begin('?0'), { headers: { 'tus-resumable': undefined } })
})

t.test('an upload of this protocol is continued over tus, and complete at its length', async (t) => {
  const finished: string[] = []
  const { begin, patch, head, state } = await buildResumable(t, {
    onUploadFinish: (_request, { id }) => { finished.push(id) }
  })
  const location = locationOf(await begin('?0', 'abc', { 'upload-length': '6' }))
  t.match(await head(location), { statusCode: 200, headers: { 'upload-offset': '3', 'upload-length': '6' } })
  t.match(await patch(location, 3, 'def'), { statusCode: 204, headers: { 'upload-offset': '6' } })
  t.equal(finished.length, 1)
  t.match(await state(location), { statusCode: 204, headers: { 'upload-complete': '?1' } })
})

t.test('an upload of tus is continued over this protocol, and complete at its length', async (t) => {
  const finished: string[] = []
  const { create, state, append } = await buildResumable(t, {
    onUploadFinish: (_request, { id }) => { finished.push(id) }
  })
  const [location, deferred] = [await create(6), await create('deferred')]
  t.match(await append(location, 0, '?0', 'abc'), { statusCode: 204, headers: { 'upload-complete': '?0' } })
  t.match(await append(location, 3, '?0', 'def'), { statusCode: 201, headers: { 'upload-complete': '?1' } })
  t.match(await append(deferred, 0, '?1', 'abc'), { statusCode: 201, headers: { 'upload-complete': '?1' } })
  t.equal(finished.length, 2)
  t.match(await state(deferred), { headers: { 'upload-length': '3', 'upload-complete': '?1' } })
})

t.test('a final upload of tus that waits for its parts has no offset', async (t) => {
  const { create, post, state } = await buildResumable(t)
  const part = await create(3, { 'upload-concat': 'partial' })
  const { headers: { location } } = await post({ 'upload-concat': `final;${part}` })
  const fields = { 'upload-complete': '?0', 'upload-offset': undefined }
  t.match(await state(String(location)), { statusCode: 204, headers: fields })
})

t.test('HEAD and DELETE without any field follow the protocol that created the upload', async (t) => {
  const { begin, append, create, send } = await buildResumable(t)
  const location = locationOf(await begin('?0', 'abc'))
  const fields = { 'upload-offset': '3', 'tus-resumable': undefined }
  t.match(await send('HEAD', location), { statusCode: 204, headers: fields })
  t.match(await send('HEAD', await create(3)), { statusCode: 412, headers: { 'tus-resumable': '1.0.0' } })
  await append(location, 3, '?1')
  const head = await send('HEAD', location)
  t.match(head, { statusCode: 200, headers: { 'content-length': '3', 'upload-complete': '?1' } })
  const beyond = await send('GET', location, { range: 'bytes=9-' })
  t.match(beyond, { statusCode: 416, headers: { 'upload-offset': undefined } })
  t.match(await send('DELETE', location), { statusCode: 204 })
  t.match(await send('DELETE', location), { statusCode: 412 }, 'the protocol of a deleted upload is unknown')
})

t.test('without downloads, HEAD without any field is an offset retrieval', async (t) => {
  const { begin, send } = await buildResumable(t, { download: false })
  const location = locationOf(await begin('?0', 'abc'))
  t.match(await send('HEAD', location), { statusCode: 204, headers: { 'upload-offset': '3' } })
  t.match(await send('GET', location), { statusCode: 405 })
})

t.test('disabled extensions of tus disable the same methods here', async (t) => {
  const { begin } = await buildResumable(t, { extensions: { creation: false } })
  t.match(await begin('?1', 'abc'), { statusCode: 405 })
  const other = await buildResumable(t, { extensions: { termination: false } })
  const location = locationOf(await other.begin('?0'))
  const refused = await other.send('DELETE', location, version)
  t.match(refused, { statusCode: 405, headers: { allow: 'OPTIONS, HEAD, PATCH, GET' } })
})

t.test('disableTerminationForFinishedUploads applies', async (t) => {
  const { begin, send } = await buildResumable(t, { disableTerminationForFinishedUploads: true })
  const location = locationOf(await begin('?1', 'abc'))
  t.match(await send('DELETE', location, version), { statusCode: 403, headers: { 'upload-complete': '?0' } })
})

t.test('an invalid id is unknown', async (t) => {
  const { state, append } = await buildResumable(t)
  for (const id of ['a'.repeat(200), 'a.json']) {
    t.match(await state(`/files/${id}`), { statusCode: 404, headers: { 'upload-complete': '?0' } })
    t.match(await append(`/files/${id}`, 0, '?1', 'a'), { statusCode: 404 })
  }
})

t.test('case 2, 3: the field of another version is absent', async (t) => {
  const { send } = await buildResumable(t)
  const v = (value: string) => ({ 'upload-draft-interop-version': value })
  t.match(await send('POST', '/files', { ...v('3'), 'upload-complete': '?1' }, 'a'), { statusCode: 400 })
  t.match(await send('POST', '/files', { ...v('6'), 'upload-incomplete': '?0' }, 'a'), { statusCode: 400 })
  const both = { 'upload-complete': '?1', 'upload-incomplete': '?1' }
  t.match(await send('POST', '/files', { ...v('3'), ...both }, 'a'), { headers: { 'upload-incomplete': '?1' } })
  t.match(await send('POST', '/files', { ...v('6'), ...both }, 'a'), { headers: { 'upload-complete': '?1' } })
})

t.test('case 4, 6: versions', async (t) => {
  const { send } = await buildResumable(t)
  for (const [value, echo] of [['9;x=1', '9'], ['09', '9'], ['9.0', undefined], ['42', undefined], ['-3', undefined]]) {
    const headers = { 'upload-draft-interop-version': value as string, 'upload-complete': '?0' }
    const response = await send('POST', '/files', headers, 'abc')
    t.match(response, { statusCode: 201, headers: { 'upload-draft-interop-version': echo, 'upload-complete': '?0' } })
  }
})

t.test('case 16: Upload-Offset of a creation', async (t) => {
  const { begin, send } = await buildResumable(t)
  t.match(await begin('?0', 'a', { 'upload-offset': '0' }), { statusCode: 201 })
  t.match(await begin('?0', 'a', { 'upload-offset': '1' }), { statusCode: 400 })
  const old = { 'upload-draft-interop-version': '6', 'upload-complete': '?0', 'upload-offset': '0' }
  t.match(await send('POST', '/files', old, 'a'), { statusCode: 400 })
})

t.test('case 26: lengths beyond any disk', async (t) => {
  const { begin, state } = await buildResumable(t)
  const location = locationOf(await begin('?0', 'a', { 'upload-length': '999999999999999' }))
  t.match(await state(location), { headers: { 'upload-length': '999999999999999' } })
  const absent = locationOf(await begin('?0', 'a', { 'upload-length': '9007199254740993' }))
  t.notOk('upload-length' in (await state(absent)).headers)
})

t.test('a digest is ignored if the store cannot verify it', async (t) => {
  const datastore = new MemoryStore()
  const capabilities = new Set([...datastore.capabilities].filter((name) => name !== 'checksum'))
  const { begin } = await buildResumable(t, { datastore: Object.assign(datastore, { capabilities }) })
  t.match(await begin('?1', 'abc', { 'content-digest': 'nothing' }), { statusCode: 201 })
})

t.test('tus clients of the same app are not affected', async (t) => {
  const { post, request } = await buildResumable(t)
  const headers = { 'upload-length': '3', 'content-type': OFFSET_OCTET_STREAM }
  t.match(await post(headers, 'abc'), { statusCode: 201, headers: { 'tus-resumable': '1.0.0', 'upload-offset': '3' } })
  const { headers: { 'upload-limit': limit, 'tus-version': tus } } = await request('OPTIONS', '/files')
  t.same([limit, tus], ['min-size=0', '1.0.0'])
})
