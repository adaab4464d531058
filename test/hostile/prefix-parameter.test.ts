/** The example of the guide in which uploads belong to the user in the prefix. */
import type { InjectOptions } from 'fastify'
import t from 'tap'
import { build, OFFSET_OCTET_STREAM } from '../helper.ts'
import { runSnippet } from '../docs/snippets.ts'

const ann = { authorization: 'Bearer ann-s-secret' }
const bob = { authorization: 'Bearer bob-s-secret' }
const bytes = { 'content-type': OFFSET_OCTET_STREAM }

t.test('with the example of the guide, a parameter of the prefix leads to the uploads of that user only', async (t) => {
  const { app } = await runSnippet(t, 'docs/guides/authentication.md', 'user-prefix.ts')
  const ask = (method: string, url: string, headers: Record<string, string>, payload = '') => app.inject({
    method: method as NonNullable<InjectOptions['method']>,
    url,
    headers: { 'tus-resumable': '1.0.0', ...headers },
    payload
  })
  const create = async (headers: Record<string, string>) => {
    const { statusCode, headers: { location } } = await ask('POST', '/users/ann/files', { ...headers, ...ann })
    t.equal(statusCode, 201)
    return location as string
  }
  const upload = await create({ 'upload-length': '3' })
  const part = await create({ 'upload-length': '0', 'upload-concat': 'partial' })
  t.match(upload, /^\/users\/ann\/files\/[0-9a-f]{32}$/)
  t.equal((await ask('POST', '/users/ann/files', { 'upload-length': '3', ...bob })).statusCode, 403)

  for (const url of [upload, upload.replace('/ann/', '/bob/')]) {
    for (const user of [ann, bob]) {
      if (user === ann && url === upload) continue
      const append = { ...bytes, 'upload-offset': '0', ...user }
      t.equal((await ask('PATCH', url, append, 'abc')).statusCode, 403, `PATCH ${url}`)
      for (const method of ['HEAD', 'GET', 'DELETE']) {
        t.equal((await ask(method, url, user)).statusCode, 403, `${method} ${url}`)
      }
    }
  }
  for (const url of [part, part.replace('/ann/', '/bob/')]) {
    const joined = await ask('POST', '/users/bob/files', { 'upload-concat': `final;${url}`, ...bob })
    t.not(joined.statusCode, 201, url)
  }
  t.equal((await ask('PATCH', upload, { ...bytes, 'upload-offset': '0', ...ann }, 'abc')).statusCode, 204)
  t.equal((await ask('GET', upload, ann)).body, 'abc')
  t.equal((await ask('POST', '/users/ann/files', { 'upload-concat': `final;${part}`, ...ann })).statusCode, 201)
})

t.test('every hook gets the parameters of the prefix', async (t) => {
  const seen: Record<string, unknown> = {}
  const note = (name: string) => (request: { params: unknown } | null) => { seen[name] = request?.params }
  const { request } = await build(t, {
    prefix: '/users/:user/files',
    progressInterval: 0,
    namingFunction: (request) => { note('namingFunction')(request); return 'id' },
    maxSize: (request) => { note('maxSize')(request); return 10 },
    authorize: (request, { action }) => note(action)(request),
    onUploadCreate: note('onUploadCreate'),
    onProgress: note('onProgress'),
    onUploadFinish: note('onUploadFinish'),
    onUploadTerminate: note('onUploadTerminate')
  })
  const created = { user: 'ann' }
  const existing = { user: 'ann', uploadId: 'id' }
  await request('POST', '/users/ann/files', { 'upload-length': '3' })
  t.same(seen, { namingFunction: created, maxSize: created, create: created, onUploadCreate: created })
  await request('PATCH', '/users/ann/files/id', { ...bytes, 'upload-offset': '0' }, 'abc')
  await request('HEAD', '/users/ann/files/id')
  await request('GET', '/users/ann/files/id')
  await request('DELETE', '/users/ann/files/id')
  for (const name of [
    'append', 'onProgress', 'onUploadFinish', 'inspect', 'read', 'terminate', 'onUploadTerminate'
  ]) t.same(seen[name], existing, name)
})
