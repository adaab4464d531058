import { readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { FastifyRequest } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'
import { ForeignStore } from '../../foreign-store.ts'
import { build, OFFSET_OCTET_STREAM, temporaryDirectory, until } from '../../helper.ts'

const HOUR = 3_600_000
const expiration = { period: HOUR }
const octets = { 'content-type': OFFSET_OCTET_STREAM }
/** A header identifies the client here; real apps need something safer. */
const key = ({ headers }: FastifyRequest) => headers['x-user'] as string

/** Sets this process's clock ahead, for one test. */
function laterIn (t: Test): (ms: number) => void {
  return (ms) => {
    const now = Date.now
    t.intercept(Date, 'now', { value: () => now() + ms })
  }
}

t.test('EDGE-73 the number of unfinished uploads never exceeds maxUploads', async (t) => {
  const { post, create, patch, request, directory, logs } = await build(t, { expiration, maxUploads: 3 })
  const uploads = [await create(3), await create(3), await create('deferred')]
  const refused = await post({ 'upload-length': '3' })
  t.equal(refused.statusCode, 503)
  t.equal(refused.headers['retry-after'], '1')
  t.match(refused.json(), {
    code: 'FST_TUS_TOO_MANY_UPLOADS', message: 'Too many unfinished uploads on this server'
  })
  t.equal((await readdir(directory)).length, 6, 'no upload is created')

  t.equal((await patch(uploads[0] as string, 0, 'abc')).statusCode, 204)
  await create(3)
  t.equal((await post({ 'upload-length': '3' })).statusCode, 503, 'the finished upload does not count')
  t.equal((await request('DELETE', uploads[1] as string)).statusCode, 204)
  const another = await create(3)
  t.equal((await post({ 'upload-length': '3' })).statusCode, 503, 'nor does the deleted one')
  t.equal((await patch(another, 0, 'ab')).statusCode, 204)
  t.equal((await post({ 'upload-length': '3' })).statusCode, 503, 'an appended upload counts once')
  t.same(logs.filter(({ level }) => level >= 40), [], 'nothing is logged as a warning')
  t.match(logs.find(({ err }) => err !== undefined), { level: 30, err: { code: 'FST_TUS_TOO_MANY_UPLOADS' } })
})

t.test('EDGE-73 an upload that completes or is refused at once does not count', async (t) => {
  let refuse = false
  const { post, create } = await build(t, {
    expiration,
    maxUploads: 1,
    onUploadCreate: () => { if (refuse) throw Object.assign(new Error('no'), { statusCode: 403 }) }
  })
  for (let i = 0; i < 3; i++) {
    await create(0)
    t.equal((await post({ 'upload-length': '3', ...octets }, 'abc')).statusCode, 201)
    const wrong = { 'upload-checksum': 'sha1 AAAAAAAAAAAAAAAAAAAAAAAAAAA=' }
    t.equal((await post({ 'upload-defer-length': '1', ...octets, ...wrong }, 'abc')).statusCode, 460)
  }
  const part = await create(0, { 'upload-concat': 'partial' })
  refuse = true
  t.equal((await post({ 'upload-length': '3' })).statusCode, 403)
  t.equal((await post({ 'upload-concat': `final;${part}` })).statusCode, 403)
  refuse = false
  await create(3)
  t.equal((await post({ 'upload-length': '3' })).statusCode, 503)
})

t.test('EDGE-73 many concurrent creations create no more than maxUploads', async (t) => {
  const { post, directory } = await build(t, { expiration, maxUploads: 10 })
  const responses = await Promise.all(Array.from({ length: 100 }, () => post({ 'upload-length': '3' })))
  t.equal(responses.filter(({ statusCode }) => statusCode === 201).length, 10)
  t.equal(responses.filter(({ statusCode }) => statusCode === 503).length, 90)
  t.equal((await readdir(directory)).length, 20)
})

t.test('EDGE-28 a creation with an existing id neither counts twice nor ends the count of that upload', async (t) => {
  const { post, create } = await build(t, { expiration, maxUploads: 2, namingFunction: () => 'same' })
  await create(3)
  t.equal((await post({ 'upload-length': '3' })).statusCode, 409)
  t.equal((await post({ 'upload-length': '3' })).statusCode, 409)
})

t.test('EDGE-73 uploads from before a restart count once the first sweep has found them', async (t) => {
  const directory = t.testdir()
  const first = await build(t, { directory, expiration, maxUploads: 1 })
  await first.create(0)
  await first.create(3)
  await first.app.close()
  const second = await build(t, { directory, expiration, maxUploads: 1 })
  await until(async () => {
    const { statusCode, headers } = await second.post({ 'upload-length': '3' })
    if (statusCode === 201) await second.request('DELETE', headers.location as string)
    return statusCode === 503
  })
  t.equal((await readdir(directory)).length, 4, 'no other upload is left')
})

t.test('EDGE-73 a waiting final upload still counts after a restart', async (t) => {
  const directory = await temporaryDirectory(t)
  const first = await build(t, { directory, expiration, maxUploads: 2 })
  const part = await first.create(3, { 'upload-concat': 'partial' })
  t.equal((await first.post({ 'upload-concat': `final;${part}` })).statusCode, 201)
  await first.app.close()
  const second = await build(t, { directory, expiration, maxUploads: 2 })
  await until(async () => {
    const { statusCode, headers } = await second.post({ 'upload-length': '3' })
    if (statusCode === 201) await second.request('DELETE', headers.location as string)
    return statusCode === 503
  })
  t.equal((await second.patch(part, 0, 'abc')).statusCode, 204)
  await second.create(3)
  t.pass('a completed final upload no longer counts')
})

t.test('EDGE-73 no client has more unfinished uploads than perClient.maxUploads', async (t) => {
  const { post, create, request } = await build(t, { expiration, perClient: { key, maxUploads: 2 } })
  const ann = { 'x-user': 'ann' }
  const first = await create(3, ann)
  await create(3, ann)
  const refused = await post({ 'upload-length': '3', ...ann })
  t.equal(refused.statusCode, 429)
  t.equal(refused.headers['retry-after'], '1')
  t.match(refused.json(), {
    code: 'FST_TUS_CLIENT_UPLOADS', message: 'Too many unfinished uploads: at most 2 per client'
  })
  await create(3, { 'x-user': 'bob' })
  t.equal((await request('DELETE', first)).statusCode, 204)
  await create(3, ann)
  t.equal((await post({ 'upload-length': '3', ...ann })).statusCode, 429)
})

t.test('EDGE-73 the parts of a parallel upload count until they are complete, the final upload never', async (t) => {
  const { post, create, patch } = await build(t, { expiration, perClient: { maxUploads: 2 } })
  for (let i = 0; i < 3; i++) {
    const parts = [await create(1, { 'upload-concat': 'partial' }), await create(1, { 'upload-concat': 'partial' })]
    for (const part of parts) t.equal((await patch(part, 0, 'a')).statusCode, 204)
    t.equal((await post({ 'upload-concat': `final;${parts.join(' ')}` })).statusCode, 201)
  }
  t.equal((await post({ 'upload-concat': 'final;/files/none' })).statusCode, 400)
  await create(3)
  await create(3)
  t.equal((await post({ 'upload-length': '3' })).statusCode, 429, 'a client is an address by default')
})

t.test('a failing perClient.key refuses the request without giving the reason', async (t) => {
  for (const key of [() => undefined as never, () => { throw new Error('no database') }]) {
    const { post, directory } = await build(t, { expiration, perClient: { key, maxUploads: 1, maxBodies: 1 } })
    const response = await post({ 'upload-length': '3' })
    t.equal(response.statusCode, 500)
    t.match(response.json(), { code: 'FST_TUS_HOOK_FAILED' })
    t.same(await readdir(directory), [])
  }
})

t.test('EDGE-56 a damaged upload does not keep the others from being counted', async (t) => {
  const directory = t.testdir()
  await writeFile(path.join(directory, 'torn.json'), '{"id":')
  const { post, create } = await build(t, { directory, expiration, maxUploads: 1 })
  await create(3)
  t.equal((await post({ 'upload-length': '3' })).statusCode, 503)
})

t.test('EDGE-73 an upload that this process has not counted can be appended to', async (t) => {
  const datastore = new ForeignStore()
  await datastore.create({ id: 'before', size: 6, offset: 0, creation_date: new Date().toISOString() })
  const { create, patch, post } = await build(t, { datastore, maxUploads: 1, expiration: { period: 3_600_000 } })
  await create(3)
  t.equal((await patch('/files/before', 0, 'abc')).statusCode, 204)
  t.equal((await post({ 'upload-length': '3' })).statusCode, 503)
})

for (const limit of [{ maxUploads: 3 }, { perClient: { maxUploads: 3 } }]) {
  t.test(`EDGE-73 the parts of a waiting final upload count as long as they live: ${Object.keys(limit)}`, async (t) => {
    const { post, create, patch, head, request } = await build(t, {
      expiration: { period: HOUR, sweepInterval: 0 }, ...limit
    })
    const parts = [await create(3, { 'upload-concat': 'partial' }), await create(3, { 'upload-concat': 'partial' })]
    const { headers } = await post({ 'upload-concat': `final;${parts.join(' ')}` })
    const later = laterIn(t)
    later(2 * HOUR)
    t.equal((await patch(parts[0] as string, 0, 'a')).statusCode, 204)
    t.equal((await head(parts[1] as string)).statusCode, 200)
    for (let i = 0; i < 2; i++) {
      t.ok((await post({ 'upload-length': '3' })).statusCode >= 429)
      later(2 * HOUR)
    }
    t.equal((await request('DELETE', headers.location as string)).statusCode, 204)
    await create(3)
    t.pass('the final upload does not count, and its parts have expired')
  })
}
