/** Bugs of `@tus/file-store` 2.1.1, demonstrated on it and on `FileStore`. */
import fs from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { FileStore as Upstream } from '@tus/file-store'
import { Upload } from '@tus/server'
import t from 'tap'
import { FileStore } from '../../../plugin/stores/file/file-store.ts'

const period = { expirationPeriodInMilliseconds: 1 }
const long = '2020-01-01T00:00:00.000Z'

function both (directory: string, options: { expirationPeriodInMilliseconds?: number } = {}) {
  return {
    upstream: new Upstream({ directory: path.join(directory, 'upstream'), ...options }),
    ours: new FileStore({ directory: path.join(directory, 'ours'), ...options })
  }
}

/** The base class creates its directory some time after its constructor returns. */
async function settled (directory: string): Promise<void> {
  for (;;) {
    const made = await fs.stat(path.join(directory, 'upstream')).then(() => true, () => false)
    if (made) return
    await wait(1)
  }
}

t.test('B-01 a sweep deletes finished uploads upstream, and only unfinished ones here', async (t) => {
  const { upstream, ours } = both(t.testdir(), period)
  await settled(t.testdirName)
  for (const store of [upstream, ours]) {
    for (const id of ['finished', 'unfinished']) {
      await store.create(new Upload({ id, size: 3, offset: 0, creation_date: long }))
    }
    await store.write(Readable.from([Buffer.from('abc')]), 'finished', 0)
  }
  t.equal(await upstream.deleteExpired(), 2)
  await t.rejects(upstream.getUpload('finished'))

  t.equal(await ours.deleteExpired(), 1)
  t.match(await ours.getUpload('finished'), { offset: 3 })
  await t.rejects(ours.getUpload('unfinished'), { code: 'FST_TUS_NOT_FOUND' })
  t.equal(await new FileStore({ directory: ours.directory }).deleteExpired(), 0, 'nothing expires without a period')

  await fs.writeFile(path.join(ours.directory, 'undated.json'), '{"id":"undated","offset":0,"size":3}')
  await fs.writeFile(path.join(ours.directory, 'undated'), '')
  t.equal(await ours.deleteExpired(), 0, 'nor without a date')
})

t.test('B-01 a sweep of @tus/file-store over our directory keeps our finished uploads', async (t) => {
  const directory = t.testdir()
  const ours = new FileStore({ directory })
  const upload = await ours.create({ id: 'finished', size: 3, offset: 0, creation_date: long })
  await ours.write(Readable.from([Buffer.from('abc')]), 'finished', 0)
  await ours.update({ ...upload, offset: 3 }, { finished: true })
  t.equal(await new Upstream({ directory, ...period }).deleteExpired(), 0)
  t.match(await ours.getUpload('finished'), { offset: 3 })
})

t.test('B-02 EXP-08 a sweep unlinks a file that is being written upstream, and not here', async (t) => {
  const { upstream, ours } = both(t.testdir(), period)
  await settled(t.testdirName)
  for (const store of [upstream, ours]) {
    await store.create(new Upload({ id: 'a', size: 6, offset: 0, creation_date: long }))
    const body = new Readable({ read () {} })
    body.push('abc')
    const writing = store.write(body, 'a', 0)
    while ((await store.getUpload('a')).offset === 0) await wait(1)
    const deleted = await store.deleteExpired()
    body.push('def')
    body.push(null)
    t.equal(await writing, 6, 'the writer gets no error')
    const kept = await store.getUpload('a').then(({ offset }) => offset, () => 'lost')
    t.same({ deleted, kept }, store === ours ? { deleted: 0, kept: 6 } : { deleted: 1, kept: 'lost' })
  }
})

t.test('B-04 a repeated id empties the existing upload upstream, and is refused here', async (t) => {
  const { upstream, ours } = both(t.testdir())
  await settled(t.testdirName)
  for (const store of [upstream, ours]) {
    await store.create(new Upload({ id: 'a', size: 3, offset: 0 }))
    await store.write(Readable.from([Buffer.from('abc')]), 'a', 0)
  }
  await upstream.create(new Upload({ id: 'a', size: 3, offset: 0 }))
  t.equal((await upstream.getUpload('a')).offset, 0)
  await t.rejects(ours.create(new Upload({ id: 'a', size: 3, offset: 0 })), { code: 'FST_TUS_EXISTS' })
  t.equal((await ours.getUpload('a')).offset, 3)
})

t.test('B-05 EDGE-23 an id that ends in .json destroys another upload upstream, and is refused here', async (t) => {
  const { upstream, ours } = both(t.testdir())
  await settled(t.testdirName)
  for (const store of [upstream, ours]) await store.create(new Upload({ id: 'a', size: 3, offset: 0 }))
  await upstream.create(new Upload({ id: 'a.json', size: 3, offset: 0 }))
  await t.rejects(upstream.getUpload('a'))
  await t.rejects(ours.create(new Upload({ id: 'a.json', size: 3, offset: 0 })), { code: 'FST_TUS_NOT_FOUND' })
  t.match(await ours.getUpload('a'), { size: 3 })
})

t.test('B-06 ids that sort close to each other are missing from the list upstream, and listed here', async (t) => {
  const { upstream, ours } = both(t.testdir())
  await settled(t.testdirName)
  const ids = ['a', 'a-b', 'ab', 'a_b', 'a.b', 'A']
  for (const store of [upstream, ours]) {
    for (const id of ids) await store.create(new Upload({ id, size: 3, offset: 0 }))
  }
  t.ok((await upstream.configstore.list?.() ?? []).length < ids.length)
  t.same((await ours.configstore.list?.())?.sort(), [...ids].sort())
  const listed = []
  for await (const id of ours.list()) listed.push(id)
  t.same(listed.sort(), [...ids].sort())
})

t.test('B-07 a record torn by a crash stays forever upstream, and is reported and collected here', async (t) => {
  const id = '0123456789abcdef0123456789abcdef'
  const { upstream, ours } = both(t.testdir(), period)
  await settled(t.testdirName)
  for (const store of [upstream, ours]) {
    await store.create(new Upload({ id, size: 3, offset: 0, creation_date: long }))
    const record = path.join(store.directory, `${id}.json`)
    await fs.truncate(record, 10)
    await fs.utimes(record, new Date(long), new Date(long))
  }
  await upstream.deleteExpired()
  t.same((await fs.readdir(upstream.directory)).sort(), [id, `${id}.json`])
  await t.rejects(ours.getUpload(id), { code: 'FST_TUS_GONE' })
  t.equal(await ours.removeOrphans(), 1)
  t.same(await fs.readdir(ours.directory), [])
})
