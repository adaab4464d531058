import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { FileStore } from '../../plugin/index.ts'
import { deleteEmptyUploads } from '../../src/empty-uploads.ts'
import { ListedFileStore } from '../../src/listed-store.ts'
import { type LogLine, temporaryDirectory, until } from '../helper.ts'

const HOUR = 60 * 60 * 1000

interface Kept { id: string, size: number, age: number, finished: boolean }

/** A server that deletes empty uploads after an hour, over a directory that holds some. */
async function build (t: Test, kept: Kept[], sweepInterval = 0) {
  const directory = await temporaryDirectory(t)
  const before = new ListedFileStore({ directory })
  const add = async (store: ListedFileStore, { id, size, age, finished }: Kept) => {
    const created = new Date(Date.now() - age).toISOString()
    const upload = await store.create({ id, size, offset: 0, creation_date: created })
    await writeFile(path.join(directory, id), Buffer.alloc(size))
    if (finished) await store.update(upload, { finished: true })
  }
  for (const upload of kept) await add(before, upload)
  const store = new ListedFileStore({ directory, exclusive: true })
  const logs: LogLine[] = []
  const stream = { write: (line: string) => { logs.push(JSON.parse(line) as LogLine) } }
  const server = Fastify({ logger: { stream } })
  t.teardown(() => server.close())
  deleteEmptyUploads(server, store, { expiration: HOUR, sweepInterval })
  const ids = async () => (await store.uploads.page(100)).uploads.map(({ id }) => id).sort()
  return { server, store, logs, ids, add: (upload: Kept) => add(store, upload) }
}

t.test('finished uploads of 0 bytes are deleted once they are old', async (t) => {
  const { server, logs, ids } = await build(t, [
    { id: 'old', size: 0, age: 2 * HOUR, finished: true },
    { id: 'new', size: 0, age: 0, finished: true },
    { id: 'bytes', size: 1, age: 2 * HOUR, finished: true },
    { id: 'unfinished', size: 0, age: 2 * HOUR, finished: false }
  ])
  await server.ready()
  await until(() => logs.length > 0)
  t.match(logs, [{ msg: 'empty uploads deleted', count: 1 }])
  t.same(await ids(), ['bytes', 'new', 'unfinished'])
})

t.test('the search is repeated', async (t) => {
  const { server, logs, ids, add } = await build(t, [], 5)
  await server.ready()
  await add({ id: 'old', size: 0, age: 2 * HOUR, finished: true })
  await until(() => logs.length > 0)
  t.same(await ids(), [])
})

t.test('an upload that cannot be deleted does not keep the others', async (t) => {
  const old = { size: 0, age: 2 * HOUR, finished: true }
  const { server, store, logs, ids } = await build(t, [
    { id: 'broken', ...old }, { id: 'gone', ...old }, { id: 'one', ...old }, { id: 'two', ...old }
  ], 5)
  await store.uploads.load()
  await new FileStore({ directory: store.directory }).remove('gone')
  const { remove } = store
  store.remove = async (id) => {
    if (id === 'broken') throw new Error('EIO')
    await remove.call(store, id)
  }
  await server.ready()
  await until(() => logs.filter(({ uploadId }) => uploadId === 'broken').length === 2)
  t.match(logs.find(({ level }) => level === 40), { msg: 'empty upload not deleted', err: { message: 'EIO' } })
  t.match(logs.filter(({ msg }) => msg === 'empty uploads deleted'), [{ count: 2 }])
  t.notOk(logs.some(({ uploadId }) => uploadId === 'gone'))
  t.same(await ids(), ['broken'])
  t.same(await store.uploads.emptyBefore(Date.now()), ['broken'], 'the other one is forgotten')
})

t.test('a failure is logged', async (t) => {
  const { server, store, logs } = await build(t, [])
  store.list = () => { throw new Error('EIO') }
  await server.ready()
  await until(() => logs.length > 0)
  t.match(logs, [{ msg: 'empty uploads not deleted', err: { message: 'EIO' } }])
})

t.test('nothing is deleted once the server closes', async (t) => {
  const { server, store, ids } = await build(t, [{ id: 'old', size: 0, age: 2 * HOUR, finished: true }])
  let closing: Promise<void> | undefined
  const { list } = store
  store.list = () => {
    closing = server.close()
    return list.call(store)
  }
  await server.ready()
  await until(() => closing !== undefined)
  await closing
  t.same(await ids(), ['old'])
})
