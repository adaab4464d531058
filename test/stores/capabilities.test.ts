import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { FileStore, MemoryLocker, MemoryStore } from '../../plugin/index.ts'
import type { Capability, Locker } from '../../plugin/index.ts'
import { FinishedOnlyStore } from '../contracts/finished-only-store.ts'
import { build, until, temporaryDirectory } from '../helper.ts'

const clip = await readFile(path.join(import.meta.dirname, '../fixtures/clip.mp4'))
const text = Buffer.from('plain text '.repeat(1000))

t.test('allowedTypes works if only complete uploads can be read, however short the first body is', async (t) => {
  const { create, patch, head } = await build(t, { datastore: new FinishedOnlyStore(), allowedTypes: ['video/*'] })
  for (const [bytes, status] of [[clip, 204], [text, 415]] as const) {
    const url = await create(bytes.length)
    t.equal((await patch(url, 0, bytes.subarray(0, 100))).statusCode, 204)
    t.equal((await patch(url, 100, bytes.subarray(100, 5000))).statusCode, 204)
    t.equal((await patch(url, 5000, bytes.subarray(5000))).statusCode, status)
    t.equal((await head(url)).statusCode, status === 204 ? 200 : 404)
  }
})

t.test('allowedTypes refuses by the first bytes even if only complete uploads can be read', async (t) => {
  const { create, patch } = await build(t, { datastore: new FinishedOnlyStore(), allowedTypes: ['video/*'] })
  t.equal((await patch(await create(text.length), 0, text.subarray(0, 5000))).statusCode, 415)
})

t.test('growing downloads without a store that reads unfinished uploads fail at registration', async (t) => {
  await t.rejects(build(t, { datastore: new FinishedOnlyStore(), download: { growing: true } }), {
    code: 'FST_TUS_INVALID_OPTION',
    message: 'fastify-tus: option "download.growing" needs a store with the capability "read-unfinished"'
  })
  await build(t, { datastore: new MemoryStore(), download: { growing: true } })
})

t.test('a store must have the methods of its capabilities', async (t) => {
  const capabilities = (...names: string[]) => new Set(names) as Set<Capability>
  const methods = { create () {}, getUpload () {}, remove () {}, openAppend () {} }
  const refused: Array<[store: object, message: RegExp]> = [
    [{ ...methods, capabilities: capabilities('read') }, /must have a method "read" for "read"/],
    [{ ...methods, capabilities: capabilities('concatenation') }, /method "concatenate" for "concatenation"/],
    [{ ...methods, capabilities: capabilities('expiration') }, /method "list" or "due" for "expiration"/],
    [{ ...methods, capabilities: capabilities('reading') }, /has the unknown capability "reading"/],
    [{ ...methods, openAppend: undefined, capabilities: capabilities() }, /must have a method "write"/],
    [{ ...methods, capabilities: ['read'] }, /must have a Set "capabilities"/]
  ]
  for (const [datastore, message] of refused) {
    await t.rejects(build(t, { datastore: datastore as never }), { code: 'FST_TUS_INVALID_OPTION', message })
  }
  await build(t, { datastore: { ...methods, capabilities: capabilities('creation') } as never })
})

t.test('a sweep reads only expired uploads if the store can find them', async (t) => {
  const looked: string[] = []
  const datastore = new class extends MemoryStore {
    override async * list (): AsyncGenerator<string> {
      t.fail('the store is not listed')
      yield * []
    }

    async * due (): AsyncGenerator<string> {
      yield 'old'
    }

    override async getUpload (id: string) {
      looked.push(id)
      return await super.getUpload(id)
    }
  }()
  for (const id of ['old', 'young']) {
    await datastore.create({ id, size: 3, offset: 0, creation_date: '2026-01-01T00:00:00.000Z' })
  }
  looked.length = 0
  const expired: string[] = []
  await build(t, {
    datastore,
    expiration: { period: 1, sweepInterval: 0, sliding: false },
    onUploadExpire: ({ id }) => { expired.push(id) }
  })
  await until(() => expired.length === 1)
  t.same(expired, ['old'])
  t.notOk(looked.includes('young'))
})

t.test('the default store caches with a locker of one process, and not with a shared locker', async (t) => {
  const lockers: Array<[locker: Locker | undefined, isCached: boolean]> = [
    [undefined, true],
    [new MemoryLocker(), true],
    [Object.assign(new MemoryLocker(), { shared: true }) as Locker, false],
    [{ newLock: (id) => new MemoryLocker().newLock(id) }, false]
  ]
  for (const [locker, isCached] of lockers) {
    const { create, patch, directory } = await build(t, { locker })
    const location = await create(9)
    await patch(location, 0, 'abc')
    const record = path.join(directory, `${path.basename(location)}.json`)
    const before = await readFile(record, 'utf8')
    // A cached record is not read again while the size of the file is the expected one.
    await writeFile(record, before.replace('"size":9', '"size":5'))
    t.equal((await patch(location, 3, 'def')).statusCode, isCached ? 204 : 413)
  }
})

t.test('registrations for one directory share the default store and the default locker', async (t) => {
  for (const engines of [{ locker: new MemoryLocker() }, {}]) {
    const directory = await temporaryDirectory(t)
    const first = await build(t, { directory, ...engines })
    const second = await build(t, { directory, ...engines })
    const location = await first.create('deferred')
    const stalled = await first.stall(location, 0, 9, 'abc')
    await first.untilStored(location, 3)
    t.equal((await second.patch(location, 3, '', { 'upload-length': '6' })).statusCode, 204)
    t.equal((await stalled.response).status, 423, 'one registration displaces the body of the other')
    t.equal((await first.head(location)).headers['upload-length'], '6', 'and sees its changes')
    await t.rejects(build(t, { directory, ...engines, durability: 'none' }), {
      code: 'FST_TUS_INVALID_OPTION', message: /"durability" must be "finished", as in the other registration/
    })
    await build(t, { ...engines, durability: 'none' })
  }
})

t.test('after the app has closed, its directory may be used with another durability', async (t) => {
  const { app, directory } = await build(t)
  await app.close()
  await t.resolves(build(t, { directory, durability: 'none' }))
})

t.test('records of version 0.1.0 keep their meaning', async (t) => {
  const concatenation = { header: 'final;/files/part', parts: ['part'] }
  const record = (id: string, fields: object) => JSON.stringify({ id, size: 3, offset: 0, finished: true, ...fields })
  const directory = t.testdir({
    plain: 'abc',
    'plain.json': record('plain', {}),
    joined: 'abc',
    'joined.json': record('joined', { concatenation: { ...concatenation, joined: true } }),
    waiting: '',
    'waiting.json': record('waiting', { finished: false, concatenation: { ...concatenation, joined: false } })
  })
  const store = new FileStore({ directory })
  t.match(await store.getUpload('plain'), { offset: 3, complete: undefined })
  const parts = [{ id: 'part' }]
  t.match(await store.getUpload('joined'), { offset: 3, complete: true, concatenation: { parts } })
  t.match(await store.getUpload('waiting'), { offset: 0, complete: false, concatenation: { parts } })
  const { app, head } = await build(t, { directory })
  for (const url of ['/files/plain', '/files/joined']) t.equal((await app.inject(url)).body, 'abc')
  t.notOk('upload-offset' in (await head('/files/waiting')).headers)
})
