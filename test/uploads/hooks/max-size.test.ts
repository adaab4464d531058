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
  // Nobody knows for whom OPTIONS asks.
  t.notOk('tus-max-size' in (await app.inject({ method: 'OPTIONS', url: '/files' })).headers)
})

t.test('DEFER-05 the function is asked again when the length comes later', async (t) => {
  const { create, patch, head } = await build(t, byUser)
  const location = await create('deferred', { 'x-quota': '3' })
  const refused = await patch(location, 0, 'ab', { 'upload-length': '4', 'x-quota': '3' })
  t.equal(refused.statusCode, 413)
  t.match((await head(location)).headers, { 'upload-offset': '0', 'upload-defer-length': '1' })
  t.equal((await patch(location, 0, 'ab', { 'upload-length': '4', 'x-quota': '4' })).statusCode, 204)
})

t.test('DEFER-06 the function binds while the length is not known', async (t) => {
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

t.test('a maxSize that gives no number of bytes is a failure of the server, not of the client', async (t) => {
  let given: unknown
  const { directory, post, create, patch } = await build(t, { maxSize: () => given as number })
  for (given of [undefined, null, NaN, -1, '5', {}]) {
    const answer = await post({ 'upload-length': '3' })
    t.equal(answer.statusCode, 500, String(given))
    t.match(answer.json(), { code: 'FST_TUS_HOOK_FAILED' })
    t.notMatch(answer.body, 'maxSize')
  }
  t.same(await readdir(directory), [])
  given = 10
  const location = await create('deferred')
  given = NaN
  t.equal((await patch(location, 0, 'abc')).statusCode, 500)
})

t.test('a maxSize that throws with a status is heard', async (t) => {
  const { post } = await build(t, {
    maxSize: () => { throw Object.assign(new Error('pay first'), { statusCode: 402 }) }
  })
  const answer = await post({ 'upload-length': '3' })
  t.equal(answer.statusCode, 402)
  t.equal(answer.json().message, 'pay first')
})
