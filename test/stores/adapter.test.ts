import { Readable } from 'node:stream'
import t from 'tap'
import { build, OFFSET_OCTET_STREAM, until } from '../helper.ts'
import { ForeignStore } from '../foreign-store.ts'

t.test('a store needs only the methods that @tus/server requires', async (t) => {
  const datastore = new ForeignStore()
  const finished: string[] = []
  const { app, create, patch, head, request } = await build(t, {
    datastore,
    onUploadFinish: (_request, { id }) => { finished.push(id) }
  })
  const location = await create(6, { 'upload-metadata': 'name YQ==' })
  const id = location.slice('/files/'.length)
  t.equal((await patch(location, 0, 'abc')).statusCode, 204)
  const { headers } = await head(location)
  t.match(headers, { 'upload-offset': '3', 'upload-length': '6', 'upload-metadata': 'name YQ==' })
  t.equal((await patch(location, 3, 'def')).statusCode, 204)
  t.equal(datastore.bytesOf(id).toString(), 'abcdef')
  t.same(finished, [id])
  const read = await app.inject(location)
  t.equal(read.statusCode, 405, 'GET is not offered if the store cannot read')
  t.notMatch(read.headers.allow, 'GET')
  t.equal((await request('DELETE', location)).statusCode, 204)
  t.equal((await head(location)).statusCode, 404)
})

t.test('EXP-05 uploads of a store that cannot list them still expire', async (t) => {
  const datastore = new ForeignStore(['creation', 'expiration'])
  const { create, patch, head, request } = await build(t, { datastore, expiration: { period: 3_600_000 } })
  t.equal((await request('OPTIONS', '/files')).headers['tus-extension'], 'creation,expiration')
  const location = await create(6)
  const { upload } = datastore.uploads.get(location.slice('/files/'.length)) ?? {}
  t.ok('upload-expires' in (await head(location)).headers)
  upload!.creation_date = '2026-01-01T00:00:00.000Z'
  t.equal((await head(location)).statusCode, 410)
  t.equal((await patch(location, 0, 'abc')).statusCode, 410)
  upload!.creation_date = undefined
  t.equal((await head(location)).statusCode, 200, 'without a date nothing expires')
})

t.test('EXP-05 an upload expires whose creation date is ahead of the clock', async (t) => {
  const datastore = new ForeignStore(['creation', 'expiration'])
  const { create, head } = await build(t, { datastore, expiration: { period: 3_600_000 } })
  const location = await create(6)
  const { upload } = datastore.uploads.get(location.slice('/files/'.length)) ?? {}
  const created = Date.now() + 60_000
  upload!.creation_date = new Date(created).toISOString()
  const { headers } = await head(location)
  t.equal(headers['upload-expires'], new Date(created + 3_600_000).toUTCString())
})

t.test('CORE-07 an extension that the store does not support is not advertised, and refused', async (t) => {
  const { create, patch, post, request } = await build(t, { datastore: new ForeignStore(['creation']) })
  const { headers } = await request('OPTIONS', '/files')
  t.equal(headers['tus-extension'], 'creation')
  const unsupported = [
    await post({ 'upload-defer-length': '1' }),
    await post({ 'upload-length': '3', 'content-type': OFFSET_OCTET_STREAM }, 'abc')
  ]
  for (const { statusCode, body } of unsupported) {
    t.equal(statusCode, 400)
    t.match(JSON.parse(body), { code: 'FST_TUS_UNSUPPORTED' })
  }
  const location = await create(3)
  t.equal((await request('DELETE', location)).statusCode, 405)
  t.equal((await patch(location, 0, 'abc')).statusCode, 204)
})

t.test('CORE-07 without extensions in the store there is no Tus-Extension', async (t) => {
  const datastore = new ForeignStore([])
  await datastore.create({ id: 'made-elsewhere', size: 3, offset: 0 })
  const { post, patch, request } = await build(t, { datastore })
  t.notOk('tus-extension' in (await request('OPTIONS', '/files')).headers)
  const refused = await post({ 'upload-length': '3' })
  t.equal(refused.statusCode, 405)
  t.equal(refused.headers.allow, 'OPTIONS')
  t.equal((await patch('/files/made-elsewhere', 0, 'abc')).statusCode, 204)
  t.equal(datastore.bytesOf('made-elsewhere').toString(), 'abc')
})

t.test('GET is offered if the store can read', async (t) => {
  class ReadableStore extends ForeignStore {
    async read (id: string): Promise<Readable> {
      return Readable.from([this.bytesOf(id)])
    }
  }
  const datastore = new ReadableStore()
  await datastore.create({ id: 'made-elsewhere', size: 3, offset: 0 })
  const { app, patch } = await build(t, { datastore })
  t.equal((await app.inject('/files/made-elsewhere')).statusCode, 404, 'it is not complete yet')
  await patch('/files/made-elsewhere', 0, 'abc')
  const { statusCode, headers, body } = await app.inject('/files/made-elsewhere')
  t.equal(statusCode, 200)
  t.equal(body, 'abc')
  t.match(headers, {
    'content-type': 'application/octet-stream',
    'content-disposition': 'attachment',
    'content-length': '3',
    'x-content-type-options': 'nosniff'
  }, 'the type is unknown, so it is a download')
})

t.test('EXP-07 a store that can list is swept, and does not need removeOrphans', async (t) => {
  class ListingStore extends ForeignStore {
    async * list (): AsyncGenerator<string> {
      yield * [...this.uploads.keys()]
    }
  }
  const datastore = new ListingStore(['creation', 'expiration'])
  const old = { size: 3, creation_date: '2026-01-01T00:00:00.000Z' }
  await datastore.create({ id: 'expired', offset: 0, ...old })
  await datastore.create({ id: 'finished', offset: 3, ...old })
  const { logs } = await build(t, { datastore, expiration: { period: 60_000, sweepInterval: 0 } })
  await until(() => logs.some(({ msg }) => msg === 'expired uploads and orphans deleted'))
  t.same([...datastore.uploads.keys()], ['finished'])
  t.match(logs.find(({ msg }) => msg === 'expired uploads and orphans deleted'), { expired: 1, orphans: 0 })
})

t.test('with a wrapper that does not record finish hooks, none is due', async (t) => {
  class WrappingStore extends ForeignStore {
    override async getUpload (id: string) {
      return { ...await super.getUpload(id), finished: false }
    }

    async read (id: string): Promise<Readable> {
      return Readable.from([this.bytesOf(id)])
    }
  }
  const { create, patch, request } = await build(t, { datastore: new WrappingStore(['creation']) })
  const location = await create(3)
  t.equal((await patch(location, 0, 'abc')).statusCode, 204)
  t.equal((await request('GET', location)).statusCode, 200)
})

t.test('an offset of the store beyond the length of the upload is an error', async (t) => {
  class BoastfulStore extends ForeignStore {
    override async write (...args: Parameters<ForeignStore['write']>): Promise<number> {
      return await super.write(...args) + 500
    }
  }
  const { create, patch } = await build(t, { datastore: new BoastfulStore(['creation']) })
  const response = await patch(await create(6), 0, 'abc')
  t.match(response.json(), { statusCode: 500, code: 'FST_TUS_STORE_FAILED' })
})
