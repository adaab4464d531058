import { readdir } from 'node:fs/promises'
import t from 'tap'
import { build, OFFSET_OCTET_STREAM } from '../../helper.ts'

const byUser = {
  maxSize: async (request: { headers: Record<string, unknown> }, metadata: Record<string, string | null>) =>
    metadata['free'] === undefined ? Number(request.headers['x-quota']) : Infinity
}

t.test('CREATE-06 maxSize may be a function of the request and the metadata', async (t) => {
  const { app, directory, post } = await build(t, byUser)
  const refused = await post({ 'upload-length': '4', 'x-quota': '3' })
  t.equal(refused.statusCode, 413)
  t.match(refused.json(), { code: 'FST_TUS_TOO_LARGE', message: /3 bytes/ })
  t.same(await readdir(directory), [])
  t.equal((await post({ 'upload-length': '4', 'x-quota': '4' })).statusCode, 201)
  t.equal((await post({ 'upload-length': '4', 'x-quota': '0', 'upload-metadata': 'free' })).statusCode, 201)
  t.equal((await post({ 'upload-length': '0', 'x-quota': '0' })).statusCode, 201)
  // OPTIONS does not identify a user.
  t.notOk('tus-max-size' in (await app.inject({ method: 'OPTIONS', url: '/files' })).headers)
})

t.test('DEFER-05 the function is called again if the length is declared later', async (t) => {
  const { create, patch, head } = await build(t, byUser)
  const location = await create('deferred', { 'x-quota': '3' })
  const refused = await patch(location, 0, 'ab', { 'upload-length': '4', 'x-quota': '3' })
  t.equal(refused.statusCode, 413)
  t.match((await head(location)).headers, { 'upload-offset': '0', 'upload-defer-length': '1' })
  t.equal((await patch(location, 0, 'ab', { 'upload-length': '4', 'x-quota': '4' })).statusCode, 204)
})

t.test('DEFER-06 the limit of the function applies while the length is unknown', async (t) => {
  const { listen, post, create, patch, head } = await build(t, byUser)
  const quota = { 'x-quota': '3' }
  const location = await create('deferred', quota)
  t.equal((await patch(location, 0, 'ab', quota)).statusCode, 204)
  t.equal((await patch(location, 2, 'cd', quota)).statusCode, 413)
  const chunked = await fetch(`${await listen()}${location}`, {
    method: 'PATCH',
    headers: { 'tus-resumable': '1.0.0', 'content-type': OFFSET_OCTET_STREAM, 'upload-offset': '2', ...quota },
    body: new Blob(['cd']).stream(),
    duplex: 'half'
  } as RequestInit)
  t.equal(chunked.status, 413)
  t.equal((await head(location)).headers['upload-offset'], '2')

  const withUpload = { ...quota, 'upload-defer-length': '1', 'content-type': OFFSET_OCTET_STREAM }
  t.equal((await post(withUpload, 'abcd')).statusCode, 413)
})

t.test('a maxSize that does not return a number of bytes is a server error, not a client error', async (t) => {
  let given: unknown
  const { directory, post, create, patch } = await build(t, { maxSize: () => given as number })
  for (given of [undefined, null, NaN, -1, '5', {}]) {
    const response = await post({ 'upload-length': '3' })
    t.equal(response.statusCode, 500, String(given))
    t.match(response.json(), { code: 'FST_TUS_HOOK_FAILED' })
    t.notMatch(response.body, 'maxSize')
  }
  t.same(await readdir(directory), [])
  given = 10
  const location = await create('deferred')
  given = NaN
  t.equal((await patch(location, 0, 'abc')).statusCode, 500)
})

t.test('the status of an error thrown by maxSize is kept', async (t) => {
  const { post } = await build(t, {
    maxSize: () => { throw Object.assign(new Error('pay first'), { statusCode: 402 }) }
  })
  const response = await post({ 'upload-length': '3' })
  t.equal(response.statusCode, 402)
  t.equal(response.json().message, 'pay first')
})
