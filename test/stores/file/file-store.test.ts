import { createHash, randomBytes } from 'node:crypto'
import callbacks from 'node:fs'
import fs from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { setImmediate as turn } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { FileStore, type FileStoreOptions } from '../../../plugin/stores/file/file-store.ts'
import { fileSystem } from '../../../plugin/stores/file/file-system/file-system.ts'

const past = new Date(Date.now() - 7_200_000)

function open (t: Test, options: Partial<FileStoreOptions> = {}) {
  const directory = options.directory ?? t.testdir()
  return { directory, store: new FileStore({ directory, ...options }) }
}

t.test('an upload is created, appended to, read and removed', async (t) => {
  const { directory, store } = open(t)
  const created = await store.create({ id: 'a', size: 5, offset: 0, metadata: { filename: 'x.mp4', none: null } })
  t.match(created, { id: 'a', offset: 0, storage: { type: 'file', path: path.join(directory, 'a') } })
  t.notOk(created.sizeIsDeferred)
  const append = await store.openAppend(created)
  await append.write([Buffer.from('he'), Buffer.from('ll')], 4)
  await append.write([Buffer.from('o')], 1)
  t.equal(await append.commit(), 5)
  const metadata = { filename: 'x.mp4', none: null }
  t.match(await store.getUpload('a'), { size: 5, offset: 5, metadata, finished: false })
  t.equal(await text(store.read('a')), 'hello')
  await store.remove('a')
  t.same(await fs.readdir(directory), [])
  await t.rejects(store.getUpload('a'), { code: 'FST_TUS_NOT_FOUND', statusCode: 404 })
})

t.test('write stores a stream at an offset, including the bytes before the stream failed', async (t) => {
  const { store } = open(t)
  await store.create({ id: 'a', size: 10, offset: 0 })
  t.equal(await store.write(Readable.from([Buffer.from('abc')]), 'a', 0), 3)
  const broken = new Readable({ read () {} })
  broken.push('de')
  const writing = store.write(broken, 'a', 3)
  while ((await store.getUpload('a')).offset < 5) await turn()
  broken.destroy(new Error('reset'))
  await t.rejects(writing, { message: 'reset' })
  t.equal((await store.getUpload('a')).offset, 5)

  const early = new Readable({ read () {} })
  const failing = store.write(early, 'a', 5)
  early.destroy(new Error('reset at once'))
  await t.rejects(failing, { message: 'reset at once' })
})

t.test('a rollback restores the upload', async (t) => {
  const { store } = open(t)
  await store.create({ id: 'a', size: 10, offset: 0 })
  await store.write(Readable.from([Buffer.from('abc')]), 'a', 0)
  const append = await store.openAppend(await store.getUpload('a'))
  await append.write([Buffer.from('wrong')], 5)
  await append.rollback()
  t.equal((await store.getUpload('a')).offset, 3)
  t.equal(await text(store.read('a')), 'abc')
})

t.test('a length that an append declares is recorded when it commits, and not before', async (t) => {
  const { store } = open(t)
  const upload = await store.create({ id: 'a', offset: 0 })
  t.ok(upload.sizeIsDeferred)
  const refused = await store.openAppend(upload, { size: 3 })
  await refused.rollback()
  t.equal((await store.getUpload('a')).size, undefined)
  const append = await store.openAppend(upload, { size: 3 })
  await append.write([Buffer.from('abc')], 3)
  await append.commit()
  t.match(await store.getUpload('a'), { size: 3, offset: 3 })
})

t.test('EDGE-28 an id that exists is never created again, whichever of its files exists', async (t) => {
  const { directory, store } = open(t)
  await store.create({ id: 'a', size: 3, offset: 0 })
  await store.write(Readable.from([Buffer.from('abc')]), 'a', 0)
  await t.rejects(store.create({ id: 'a', size: 9, offset: 0 }), { code: 'FST_TUS_EXISTS' })
  t.match(await store.getUpload('a'), { size: 3, offset: 3 })

  await fs.writeFile(path.join(directory, 'stray'), 'of another owner')
  await t.rejects(store.create({ id: 'stray', size: 9, offset: 0 }), { code: 'FST_TUS_EXISTS' })
  t.equal(await fs.readFile(path.join(directory, 'stray'), 'utf8'), 'of another owner')
  t.same((await fs.readdir(directory)).sort(), ['a', 'a.json', 'stray'], 'nothing is left of the attempt')
})

t.test('EDGE-20 an id that is a path or the name of another file of the directory is no upload', async (t) => {
  const { store } = open(t)
  for (const id of ['../a', 'a/b', 'a\\b', '.', '..', '.a', 'a\0', '', 'a.json', 'a.JSON', 'a.info', 'x'.repeat(101)]) {
    await t.rejects(store.getUpload(id), { code: 'FST_TUS_NOT_FOUND' }, JSON.stringify(id))
    await t.rejects(store.create({ id, offset: 0 }), { code: 'FST_TUS_NOT_FOUND' })
  }
})

t.test('EDGE-62 a directory that cannot be used is an error in the constructor', async (t) => {
  const directory = t.testdir({ taken: 'a file' })
  for (const name of ['taken', 'taken/below']) {
    t.throws(() => new FileStore({ directory: path.join(directory, name) }), { code: 'FST_TUS_DIRECTORY' })
  }
  const deep = path.join(directory, 'deep', 'er')
  t.equal(new FileStore({ directory: deep }).directory, deep)
  t.ok((await fs.stat(deep)).isDirectory(), 'a missing directory is created')
})

t.test('EDGE-57 appending to a file that does not fit its record is refused', async (t) => {
  const { directory, store } = open(t)
  for (const id of ['longer', 'shorter', 'gone']) {
    const upload = await store.create({ id, size: 3, offset: 0 })
    await store.write(Readable.from([Buffer.from('abc')]), id, 0)
    await store.update({ ...upload, offset: 3 }, { finished: true })
  }
  await fs.appendFile(path.join(directory, 'longer'), 'd')
  await fs.truncate(path.join(directory, 'shorter'), 2)
  await fs.unlink(path.join(directory, 'gone'))
  for (const id of ['longer', 'shorter', 'gone']) {
    await t.rejects(store.getUpload(id), { code: 'FST_TUS_GONE', statusCode: 410 }, id)
  }
  await t.rejects(store.openAppend({ id: 'gone', offset: 0 }), { code: 'FST_TUS_GONE' })
})

t.test('TERM-06 all files of a damaged upload are removed', async (t) => {
  const { directory, store } = open(t)
  const id = randomBytes(16).toString('hex')
  await store.create({ id, size: 3, offset: 0 })
  await fs.unlink(path.join(directory, id))
  await store.remove(id)
  t.same(await fs.readdir(directory), [])

  await fs.writeFile(path.join(directory, id), 'abc')
  await store.remove(id)
  t.same(await fs.readdir(directory), [], 'also a file without its record, if it has a generated id')
  await t.rejects(store.remove(id), { code: 'FST_TUS_NOT_FOUND' })

  await fs.writeFile(path.join(directory, 'holiday.mp4'), 'abc')
  await t.rejects(store.remove('holiday.mp4'), { code: 'FST_TUS_NOT_FOUND' })
  t.same(await fs.readdir(directory), ['holiday.mp4'], 'but not a file that may belong to the user')

  await fs.writeFile(path.join(directory, `${id}.json`), '{"id":"to')
  await store.remove(id)
  t.same(await fs.readdir(directory), ['holiday.mp4'])
})

t.test('files that only resemble an upload are no upload, and are kept', async (t) => {
  const foreign: Record<string, string> = {
    users: 'ann',
    'users.json': '{"a":1}',
    app: 'code',
    'app.json': '{"id":"x"}',
    'order.json': '{"id":7}',
    'list.json': '[]',
    'torn.json': '{"id":"to',
    'null.json': 'null'
  }
  const { directory, store } = open(t, { directory: t.testdir(foreign) })
  for (const name of Object.keys(foreign)) await fs.utimes(path.join(directory, name), past, past)
  t.equal(await store.removeOrphans(), 0)
  for (const id of ['users', 'app', 'order', 'list', 'null']) {
    await t.rejects(store.getUpload(id), { code: 'FST_TUS_NOT_FOUND' }, id)
    await t.rejects(store.remove(id), { code: 'FST_TUS_NOT_FOUND' }, id)
  }
  await t.rejects(store.remove('torn'), { code: 'FST_TUS_NOT_FOUND' })
  t.same((await fs.readdir(directory)).sort(), Object.keys(foreign).sort())
})

t.test('EDGE-56 orphans of a crash are removed once they are old, and nothing else', async (t) => {
  const { directory, store } = open(t)
  await store.create({ id: 'complete', size: 3, offset: 0 })
  const torn = randomBytes(16).toString('hex')
  const files: Record<string, string> = {
    'complete.json.0123abcd.tmp': '{"id":',
    [`${torn}.json`]: '{"id":"to',
    [torn]: 'bytes',
    'lonely.json': '{"id":"lonely","offset":0}',
    'notes.txt': 'of another owner'
  }
  for (const [name, content] of Object.entries(files)) await fs.writeFile(path.join(directory, name), content)
  t.equal(await store.removeOrphans(), 0, 'a young file may be a creation in progress')
  for (const name of Object.keys(files)) await fs.utimes(path.join(directory, name), past, past)
  await fs.utimes(path.join(directory, 'complete.json'), past, past)
  t.equal(await store.removeOrphans(), 3)
  t.same((await fs.readdir(directory)).sort(), ['complete', 'complete.json', 'notes.txt'])
})

t.test('a record may be as long as metadata makes it', async (t) => {
  const { store } = open(t)
  for (const length of [100, 2000, 8000, 40_000]) {
    const metadata = { filename: 'ä'.repeat(length) }
    await store.create({ id: `of-${length}`, size: 1, offset: 0, metadata })
    t.same((await store.getUpload(`of-${length}`)).metadata, metadata)
  }
})

t.test('a record is read completely, even if the system returns it in small pieces', async (t) => {
  const { store } = open(t)
  const metadata = { filename: 'a'.repeat(5000) }
  await store.create({ id: 'a', size: 1, offset: 0, metadata })
  const { read } = callbacks
  t.intercept(callbacks, 'read', {
    value: (fd: number, buffer: Buffer, offset: number, length: number, position: number, done: () => void) =>
      read(fd, buffer, offset, Math.min(length, 1000), position, done)
  })
  t.same((await store.getUpload('a')).metadata, metadata)
})

t.test('a record that is renamed during the search for orphans is not an orphan', async (t) => {
  const directory = t.testdir({ 'a.json': '{"id":"a"}' })
  const stat = async () => { throw Object.assign(new Error('gone'), { code: 'ENOENT' }) }
  const { store } = open(t, { directory, fs: { ...fileSystem, stat } })
  t.equal(await store.removeOrphans(), 0)
})

t.test('each durability stores the same bytes', async (t) => {
  const root = t.testdir()
  const bytes = randomBytes(300_000)
  const hash = (data: Buffer) => createHash('sha256').update(data).digest('hex')
  for (const durability of ['none', 'finished', 'every-append'] as const) {
    const { directory, store } = open(t, { directory: path.join(root, durability), durability })
    const upload = await store.create({ id: 'a', size: bytes.length, offset: 0 })
    await store.write(Readable.from([bytes.subarray(0, 100_000)]), 'a', 0)
    await store.write(Readable.from([bytes.subarray(100_000)]), 'a', 100_000)
    await store.update({ ...upload, offset: bytes.length }, { finished: true })
    t.equal(hash(await fs.readFile(path.join(directory, 'a'))), hash(bytes), durability)
    t.match(await store.getUpload('a'), { finished: true, offset: bytes.length })
  }
})

t.test('uploads of @tus/file-store are served, and their finish hook is not due', async (t) => {
  const directory = t.testdir({
    old: 'hello',
    'old.json': JSON.stringify({ id: 'old', size: 5, offset: 0, metadata: { filename: 'a' }, creation_date: past })
  })
  const { store } = open(t, { directory })
  const upload = await store.getUpload('old')
  t.match(upload, { size: 5, offset: 5, metadata: { filename: 'a' }, finished: undefined })
})
