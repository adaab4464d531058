import { utimes } from 'node:fs/promises'
import t, { type Test } from 'tap'
import Fastify from 'fastify'
import app from '../../src/app.ts'
import type { AppOptions } from '../../src/app.ts'
import { ListedFileStore } from '../../src/listed-store.ts'
import { FileStore } from '../../plugin/index.ts'
import type { Upload } from '../../plugin/index.ts'
import type { Page } from '../../src/listed.ts'
import { temporaryDirectory } from '../helper.ts'

async function build (t: Test) {
  const directory = await temporaryDirectory(t)
  const store = new ListedFileStore({ directory, exclusive: true })
  const add = (id: string, minute: number, upload: Partial<Upload> = {}) => store.create({
    id, size: 0, offset: 0, creation_date: new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString(), ...upload
  })
  const list = (limit = 20, before?: string | null) => store.uploads.page(limit, before ?? undefined)
  return { directory, store, add, list }
}

const idsOf = ({ uploads }: Page) => uploads.map(({ id }) => id).join('')

t.test('uploads are listed newest first, with the fields that the page shows', async t => {
  const { store, add, list } = await build(t)
  t.same(await list(), { uploads: [], next: null })
  await add('a', 1, { size: 10, metadata: { filename: 'a.mp4', filetype: 'video/mp4' } })
  const b = await add('b', 2, { metadata: { name: 'b', type: 'text/plain' } })
  await store.update(b, { finished: true })
  await add('c', 3, { size: undefined })
  const made = (minute: number) => ({ createdAt: `2026-01-01T00:0${minute}:00.000Z` })
  const c = { id: 'c', name: null, type: null, length: null, offset: 0, state: 'uploading', ...made(3) }
  const second = { id: 'b', name: 'b', type: 'text/plain', length: 0, offset: 0, state: 'finished', ...made(2) }
  const a = { id: 'a', name: 'a.mp4', type: 'video/mp4', length: 10, offset: 0, state: 'uploading', ...made(1) }
  t.same(await list(), { uploads: [c, second, a], next: null })
})

t.test('the next page begins after the previous one, even if uploads are added or removed', async t => {
  const { store, add, list } = await build(t)
  for (const [minute, id] of [...'abcdefg'].entries()) await add(id, minute)
  // Created at the same time.
  await add('x', 3)
  const first = await list(3)
  t.equal(idsOf(first), 'gfe')
  await add('z', 9)
  await store.remove('e')
  const second = await list(3, first.next)
  t.equal(idsOf(second), 'xdc')
  const third = await list(3, second.next)
  t.equal(idsOf(third), 'ba')
  t.equal(third.next, null)
  t.equal(idsOf(await list()), 'zgfxdcba')
})

t.test('parts, refused uploads and damaged ones are not listed', async t => {
  const { store, add, list } = await build(t)
  await add('part', 1, { concatenation: { header: 'partial' } })
  await add('final', 2, { concatenation: { header: 'final;/files/part', parts: [{ id: 'part' }] } })
  await add('refused', 3, { refused: true })
  await add('undated', 3, { creation_date: undefined })
  await add('kept', 4)
  await store.update(await add('damaged', 5, { size: 1 }), { finished: true })
  await Promise.all([list(), list()])
  t.equal(idsOf(await list()), 'keptfinal')
  t.ok(await store.getUpload('part'))
})

t.test('an invalid query is refused', async t => {
  const directory = await temporaryDirectory(t)
  const fastify = Fastify()
  const config = { prefix: '/files', directory, maxSize: 0, expiration: 0, sweepInterval: 0 }
  await fastify.register(app, { config, client: directory } as AppOptions)
  t.teardown(() => fastify.close())
  t.same((await fastify.inject('/api/uploads?limit=1')).json(), { uploads: [], next: null })
  for (const query of ['limit=0', 'limit=101', 'limit=x', 'before=', 'before=abc', 'before=1-/etc']) {
    t.equal((await fastify.inject(`/api/uploads?${query}`)).statusCode, 400, query)
  }
})

t.test('an upload that is refused after it was listed is no longer listed', async t => {
  const { store, add, list } = await build(t)
  await add('a', 1)
  const refused = await add('b', 2)
  t.equal(idsOf(await list()), 'ba')
  await store.update(refused, { finished: true, refused: true })
  t.equal(idsOf(await list()), 'a')
})

t.test('uploads from before the start of the server are listed', async t => {
  const { directory, store, add } = await build(t)
  for (const [minute, id] of [...'cab'].entries()) await add(id, minute)
  await store.update(await add('d', 3), { finished: true, refused: true })
  for (let i = 0; i < 70; i++) await add(`more-${i}`, 10 + i)
  const { uploads } = new ListedFileStore({ directory, exclusive: true })
  t.equal((await uploads.page(100)).uploads.length, 73)
  t.equal(idsOf(await uploads.page(4, 'x'.replace('x', `${Date.UTC(2026, 0, 1, 0, 11)}-more-1`))), 'more-0bac')
})

t.test('the directory is read again only after a change, and a page reads only its own records', async t => {
  const { store, add, list } = await build(t)
  for (const [minute, id] of [...'abcdefg'].entries()) await add(id, minute)
  let listed = 0
  let read = 0
  const { list: ids, getUpload } = store
  store.list = () => { listed++; return ids.call(store) }
  store.getUpload = id => { read++; return getUpload.call(store, id) }
  await utimes(store.directory, 0, 0)
  await Promise.all([list(), list()])
  read = 0
  t.equal(idsOf(await list(2)), 'gf')
  t.same({ listed, read }, { listed: 1, read: 2 })
})

t.test('uploads that another process creates or removes are listed', async t => {
  const { store, add, list } = await build(t)
  await add('a', 1)
  await add('b', 2)
  t.equal(idsOf(await list()), 'ba')
  const other = new FileStore({ directory: store.directory })
  await other.create({ id: 'c', size: 1, offset: 0, creation_date: new Date(Date.UTC(2026, 0, 1, 0, 3)).toISOString() })
  await other.remove('a')
  const part = { header: 'partial' }
  await other.create({ id: 'p', size: 1, offset: 0, creation_date: '2026-01-01T00:04:00.000Z', concatenation: part })
  t.equal(idsOf(await list()), 'cb')
  await other.remove('p')
  t.equal(idsOf(await list()), 'cb')
})

t.test('if the directory cannot be read, the next request reads it again', async t => {
  const { store, add, list } = await build(t)
  await add('a', 1)
  const { list: ids } = store
  store.list = () => { throw new Error('EIO') }
  await t.rejects(list(), { message: 'EIO' })
  store.list = ids
  t.equal(idsOf(await list()), 'a')
})

t.test('uploads that are added or removed while the directory is read are listed once, or not at all', async t => {
  const { store, add, list } = await build(t)
  for (const [minute, id] of [...'abc'].entries()) await add(id, minute)
  const { uploads } = store
  const again = new ListedFileStore({ directory: store.directory, exclusive: true })
  const { getUpload } = again
  again.getUpload = async id => {
    const upload = await getUpload.call(again, id)
    if (id === 'b') await again.remove('b')
    again.uploads.note({ ...upload })
    return upload
  }
  t.equal(idsOf(await again.uploads.page(20)), 'ca')
  // Removed by another process.
  t.equal(idsOf(await uploads.page(20)), 'ca')
  t.equal(idsOf(await list()), 'ca')
})
