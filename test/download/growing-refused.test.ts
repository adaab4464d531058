import { createHash } from 'node:crypto'
import t from 'tap'
import type { Intent } from '../../plugin/index.ts'
import { build, sampleBytes, until } from '../helper.ts'
import { ForeignStore } from '../foreign-store.ts'
import { rawRequest } from '../raw-request.ts'
import { CountingStore, rig } from './growing-rig.ts'

t.test('growing downloads are off by default, and need a store that reads ranges', async (t) => {
  const { app, create, patch } = await build(t, { download: {} })
  const url = await create(6)
  t.equal((await app.inject(url)).statusCode, 404)
  await patch(url, 0, 'abcdef')
  t.equal((await app.inject(`${url}?from=2`)).body, 'abcdef')
  const datastore = new ForeignStore()
  await t.rejects(build(t, { datastore, download: { growing: true } }), {
    code: 'FST_TUS_INVALID_OPTION', message: /"download.growing" needs a store with the capability "read-unfinished", "ranges"/
  })
})

t.test('CORE-02: a HEAD without Tus-Resumable is refused while the upload grows', async (t) => {
  const { app, create } = await rig(t)
  t.equal((await app.inject({ method: 'HEAD', url: await create(6) })).statusCode, 412)
})

t.test('authorize is called with the action read, and decides', async (t) => {
  const asked: Intent['action'][] = []
  const { app, create } = await rig(t, {
    authorize: (_request, { action }) => {
      asked.push(action)
      return action !== 'read'
    }
  })
  const url = await create(6)
  t.equal((await app.inject(url)).statusCode, 403)
  t.equal((await app.inject(`${url}?from=0`)).statusCode, 403)
  t.same(asked, ['create', 'read', 'read'])
})

t.test('unverified bytes are not sent', async (t) => {
  const { create, read, stall, untilStored } = await rig(t)
  const url = await create(2000)
  const bytes = sampleBytes(2000)
  const checksum = (digest: Buffer) => ({ 'upload-checksum': `sha1 ${digest.toString('base64')}` })
  const reader = await read(url)

  const refused = await stall(url, 0, 1000, bytes.subarray(500, 1000), checksum(Buffer.alloc(20)))
  await untilStored(url, 500)
  refused.socket.write(bytes.subarray(1000, 1500))
  t.equal((await refused.response).status, 460)

  const right = createHash('sha1').update(bytes.subarray(0, 1000)).digest()
  const { socket, response } = await stall(url, 0, 1000, bytes.subarray(0, 500), checksum(right))
  await untilStored(url, 500)
  t.equal(reader.received().length, 0)
  socket.write(bytes.subarray(500, 1000))
  t.equal((await response).status, 204)
  await reader.has(1000)
  t.ok(reader.received().equals(bytes.subarray(0, 1000)))
})

t.test('a reader of bytes that are rolled back is disconnected', async (t) => {
  const { base, create, read, untilStored } = await rig(t)
  const url = await create(6)
  const reader = await read(url)
  const { socket, response } = await rawRequest(t, base, 'PATCH', url, {
    'tus-resumable': '1.0.0',
    'content-type': 'application/offset+octet-stream',
    'upload-offset': '0',
    'transfer-encoding': 'chunked'
  }, '3\r\nabc\r\n')
  await untilStored(url, 3)
  await reader.has(3)
  socket.write('9\r\ndefghijkl\r\n')
  t.equal((await response).status, 413)
  await t.rejects(reader.all)
})

t.test('a reader is disconnected when the upload is deleted', async (t) => {
  const { create, patch, read, request, logs } = await rig(t)
  const url = await create(6)
  await patch(url, 0, 'abc')
  const reader = await read(url)
  await reader.has(3)
  t.equal((await request('DELETE', url)).statusCode, 204)
  await t.rejects(reader.all)
  await until(() => logs.some(({ err }) => err?.code === 'FST_TUS_GONE' || err?.code === 'FST_TUS_NOT_FOUND'))
})

t.test('a reader is disconnected when the upload expires', async (t) => {
  const { create, patch, read } = await rig(t, { expiration: { period: 400, sweepInterval: 0 } })
  const url = await create(6)
  await patch(url, 0, 'abc')
  const reader = await read(url)
  await t.rejects(reader.all)
})

t.test('readers do not keep the app from closing, and their disconnection is not logged as a warning', async (t) => {
  const { app, create, patch, read, logs } = await rig(t)
  const url = await create(6)
  await patch(url, 0, 'abc')
  const readers = await Promise.all(Array.from({ length: 10 }, () => read(url)))
  await app.close()
  for (const reader of readers) await t.rejects(reader.all)
  t.same(logs.filter(({ level }) => level >= 40), [])
})

t.test('a reader that arrives while the app closes gets a 503', async (t) => {
  let isClosing = false
  const { app, create } = await rig(t, {
    async authorize (_request, { action }) {
      if (action !== 'read') return
      app.close()
      await until(() => isClosing)
    }
  }, (app) => {
    app.addHook('preClose', async () => { isClosing = true })
  })
  t.equal((await app.inject(await create(6))).statusCode, 503)
})

t.test('a transient store error does not end a download, and a truncated file does', async (t) => {
  let failing = 0
  class FailingStore extends CountingStore {
    override async getUpload (id: string) {
      const upload = await super.getUpload(id)
      if (failing-- > 0) throw Object.assign(new Error('too many files'), { code: 'EMFILE' })
      return upload
    }

    override read (id: string, range?: { start: number, end: number }) {
      return super.read(id, range?.start === 3 ? { start: 90, end: 91 } : range)
    }
  }
  const datastore = new FailingStore({ directory: t.testdir() })
  const { create, patch, read } = await rig(t, { datastore })
  const url = await create(6)
  const reader = await read(url)
  failing = 1
  await until(() => failing <= 0)
  await patch(url, 0, 'abc')
  await reader.has(3)
  await patch(url, 3, 'def')
  await t.rejects(reader.all)
})
