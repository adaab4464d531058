import fs from 'node:fs/promises'
import t from 'tap'
import { errors } from '../../plugin/index.ts'
import { build, OFFSET_OCTET_STREAM } from '../helper.ts'
import { ForeignStore } from '../foreign-store.ts'

const secret = 'no such host 10.0.0.7'
const failure = (fields: object) => Object.assign(new Error(secret), fields)

/** What a store may throw, and the response to it. */
const failures: Array<[name: string, thrown: unknown, status: number, code: string]> = [
  ...['ENOSPC', 'EDQUOT', 'EFBIG'].map((code): [string, unknown, number, string] =>
    [code, failure({ code }), 507, 'FST_TUS_INSUFFICIENT_STORAGE']),
  ...['EMFILE', 'ENFILE', 'EIO', 'EROFS', 'EACCES', 'EPERM', 'EBUSY', 'EAGAIN'].map(
    (code): [string, unknown, number, string] => [code, failure({ code }), 503, 'FST_TUS_STORE_UNAVAILABLE']),
  ['an error of its own', failure({}), 500, 'FST_TUS_STORE_FAILED'],
  ['an error with a status of its own', failure({ statusCode: 400, status_code: 403 }), 500, 'FST_TUS_STORE_FAILED'],
  ['a code that is a number', failure({ code: 503 }), 500, 'FST_TUS_STORE_FAILED'],
  ['a code that is null', failure({ code: null }), 500, 'FST_TUS_STORE_FAILED'],
  ['a string', secret, 500, 'FST_TUS_STORE_FAILED'],
  ['undefined', undefined, 500, 'FST_TUS_STORE_FAILED'],
  ['null', null, 500, 'FST_TUS_STORE_FAILED'],
  ['a 404 of @tus/server', { status_code: 404, body: secret }, 404, 'FST_TUS_NOT_FOUND'],
  ['a 410 of @tus/server', { status_code: 410, body: secret }, 410, 'FST_TUS_GONE'],
  ['an error of fastify-tus', new errors.Gone(), 410, 'FST_TUS_GONE']
]

for (const [name, thrown, status, code] of failures) {
  t.test(`EDGE-80 if a store throws ${name}, the status is ${status}`, async (t) => {
    const datastore = new ForeignStore()
    const { create, post, patch, head, request, logs } = await build(t, { datastore })
    const location = await create(9)
    const deferred = await create('deferred')
    const fail = (method: string) => {
      datastore.before = (called) => { if (called === method) throw thrown }
    }
    const requests: Array<[failing: string, run: () => ReturnType<typeof patch>]> = [
      ['create', () => post({ 'upload-length': '3' })],
      ['write', () => patch(location, 0, 'abc')],
      ['getUpload', () => patch(location, 0, 'abc')],
      ['declareUploadLength', () => patch(deferred, 0, 'abc', { 'upload-length': '3' })],
      ['remove', () => request('DELETE', location)]
    ]
    for (const [failing, run] of requests) {
      fail(failing)
      const { statusCode, headers, body } = await run()
      t.equal(statusCode, status, failing)
      t.equal(JSON.parse(body).code, code, failing)
      t.notMatch(body, '10.0.0.7')
      t.equal(headers['retry-after'], status === 503 ? '1' : undefined)
      t.equal(headers['tus-resumable'], '1.0.0')
    }
    fail('getUpload')
    const inspected = await head(location)
    // After a 5xx, tus-js-client would start over.
    t.equal(inspected.statusCode, status < 500 ? status : 423)
    t.equal(inspected.headers['retry-after'], status < 500 ? undefined : '1')
    t.notOk('upload-offset' in inspected.headers)
    if (thrown instanceof Error && status >= 500) t.match(JSON.stringify(logs), secret, 'the reason is logged')

    fail('nothing')
    t.equal((await head(location)).headers['upload-offset'], '0')
    t.equal((await patch(location, 0, 'abc')).statusCode, 204)
  })
}

t.test('PATCH-11 bytes that a store wrote before it failed count if it reports them', async (t) => {
  const datastore = new ForeignStore()
  const { create, stall, head, patch } = await build(t, { datastore })
  const location = await create(9)
  const id = location.slice('/files/'.length)
  const { socket, response } = await stall(location, 0, 9, 'abc')
  datastore.before = (method) => {
    if (method === 'write' && datastore.bytesOf(id).length === 3) throw failure({ code: 'ENOSPC' })
    // The rest is sent only after the first part is stored.
    if (method === 'write') setImmediate(() => socket.write('def'))
  }
  t.equal((await response).status, 507)
  datastore.before = () => {}
  t.equal((await head(location)).headers['upload-offset'], '3')
  t.equal((await patch(location, 3, 'defghi')).statusCode, 204)
  t.equal(datastore.bytesOf(id).toString(), 'abcdefghi')
})

t.test('CREATE-09 a creation whose first bytes cannot be stored leaves nothing in the store', async (t) => {
  const datastore = new ForeignStore()
  const { post } = await build(t, { datastore })
  datastore.before = (method) => { if (method === 'write') throw failure({ code: 'ENOSPC' }) }
  const refused = await post({ 'upload-length': '3', 'content-type': OFFSET_OCTET_STREAM }, 'abc')
  t.equal(refused.statusCode, 507)
  t.notOk('location' in refused.headers)
  t.equal(datastore.uploads.size, 0)
})

t.test('a store that destroys the stream before it rejects does not crash the process', async (t) => {
  const datastore = new ForeignStore()
  datastore.write = async (stream) => {
    stream.destroy(new Error(secret))
    throw failure({ code: 'EIO' })
  }
  const { create, patch, head } = await build(t, { datastore })
  const location = await create(3)
  t.equal((await patch(location, 0, 'abc')).statusCode, 503)
  t.equal((await head(location)).headers['upload-offset'], '0')
})

t.test('the offset of a store that stops reading early is used', async (t) => {
  const datastore = new ForeignStore()
  datastore.write = async () => 0
  const { create, patch } = await build(t, { datastore })
  const { statusCode, headers } = await patch(await create(3), 0, 'abc')
  t.equal(statusCode, 204)
  t.equal(headers['upload-offset'], '0')
})

t.test('a store that fails to close does not keep the app from closing', async (t) => {
  const datastore = Object.assign(new ForeignStore(), { close: async () => { throw failure({}) } })
  const { app, logs } = await build(t, { datastore })
  await t.resolves(app.close())
  t.match(logs.filter(({ level }) => level >= 50), [{ msg: 'store not closed', err: { message: secret } }])
})

t.test('EDGE-45 a temporarily missing directory is a 503, and is used again once it exists', async (t) => {
  const { create, post, patch, head, request, directory } = await build(t)
  const location = await create(6)
  t.equal((await patch(location, 0, 'abc')).statusCode, 204)
  const elsewhere = `${directory}.elsewhere`
  await fs.rename(directory, elsewhere)
  for (const refused of [
    await post({ 'upload-length': '3' }), await patch(location, 3, 'def'), await request('GET', location)
  ]) t.match(refused.json(), { statusCode: 503, code: 'FST_TUS_STORE_UNAVAILABLE' })
  t.equal((await head(location)).statusCode, 423)
  await fs.rename(elsewhere, directory)
  t.equal((await patch(location, 3, 'def')).statusCode, 204)
  t.equal((await request('GET', location)).body, 'abcdef')
  t.equal((await post({ 'upload-length': '3' })).statusCode, 201)
})
