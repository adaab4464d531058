import fs from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'
import t from 'tap'
import { FileStore } from '../../../plugin/stores/file/file-store.ts'
import { type FileSystem, fileSystem, type OpenFile } from '../../../plugin/stores/file/file-system/file-system.ts'

/** A file system with faults in its open files that no real disk produces on request. */
function faulty (faults: (file: OpenFile, name: string) => Partial<OpenFile>): FileSystem {
  return {
    ...fileSystem,
    open: async (name, flags) => {
      const file = await fileSystem.open(name, flags)
      return { ...bound(file), ...faults(file, path.basename(name)) }
    }
  }
}

function bound (file: OpenFile): OpenFile {
  return {
    writev: (buffers, position) => file.writev(buffers, position),
    read: (buffer, position) => file.read(buffer, position),
    truncate: (length) => file.truncate(length),
    datasync: () => file.datasync(),
    sync: () => file.sync(),
    close: () => file.close()
  }
}

const fault = (code: string) => async () => { throw Object.assign(new Error(code), { code }) }

t.test('the rest of a partially written batch is written again', async (t) => {
  const directory = t.testdir()
  const store = new FileStore({
    directory,
    fs: faulty((file) => ({
      writev: (buffers, position) => file.writev([Buffer.concat(buffers).subarray(0, 3)], position)
    }))
  })
  const upload = await store.create({ id: 'a', size: 10, offset: 0 })
  const append = await store.openAppend(upload)
  await append.write([Buffer.from('ab'), Buffer.from('cdef'), Buffer.from('ghij')], 10)
  t.equal(await append.commit(), 10)
  t.equal(await fs.readFile(path.join(directory, 'a'), 'utf8'), 'abcdefghij')
})

t.test('a write of no bytes without an error is an error, not a loop', async (t) => {
  const fs = faulty((_file, name) => name === 'a' ? { writev: async () => 0 } : {})
  const store = new FileStore({ directory: t.testdir(), fs })
  await store.create({ id: 'a', size: 10, offset: 0 })
  await t.rejects(store.write(Readable.from([Buffer.from('abc')]), 'a', 0), { code: 'EIO' })
})

t.test('EDGE-45 a creation that fails halfway leaves no files', async (t) => {
  const directory = t.testdir()
  const fullForRecords = new FileStore({ directory, fs: faulty(() => ({ writev: fault('ENOSPC') })) })
  await t.rejects(fullForRecords.create({ id: 'a', offset: 0 }), { code: 'ENOSPC' })
  t.same(await fs.readdir(directory), [])

  const open: FileSystem['open'] = async (file, flags) => {
    if (path.basename(file) === 'b') return await fault('EMFILE')()
    return await fileSystem.open(file, flags)
  }
  const noHandles = new FileStore({ directory, fs: { ...fileSystem, open } })
  await t.rejects(noHandles.create({ id: 'b', offset: 0 }), { code: 'EMFILE' })
  t.same(await fs.readdir(directory), [])

  const notClosed = faulty((file, name) => name === 'c'
    ? { close: async () => { await file.close().then(fault('EIO')) } }
    : {})
  await t.rejects(new FileStore({ directory, fs: notClosed }).create({ id: 'c', offset: 0 }), { code: 'EIO' })
  t.same(await fs.readdir(directory), [])

  const notWritten = faulty((file, name) => name.includes('.json')
    ? { close: async () => { await file.close().then(fault('EIO')) } }
    : {})
  await t.rejects(new FileStore({ directory, fs: notWritten }).create({ id: 'c', offset: 0 }), { code: 'EIO' })
  t.same(await fs.readdir(directory), [])

  const notFlushed = faulty(() => ({ sync: fault('EIO') }))
  const durable = new FileStore({ directory, fs: notFlushed, durability: 'every-append', exclusive: true })
  await t.rejects(durable.create({ id: 'd', offset: 0 }), { code: 'EIO' })
  t.same(await fs.readdir(directory), [])
})

t.test('EDGE-45 an error while reading a record is not reported as a missing upload', async (t) => {
  for (const call of ['readFile', 'stat'] as const) {
    const directory = t.testdir({ a: '', 'a.json': '{"id":"a","offset":0}' })
    const store = new FileStore({ directory, fs: { ...fileSystem, [call]: fault('EMFILE') } })
    await t.rejects(store.getUpload('a'), { code: 'EMFILE' }, call)
  }
})

t.test('B-07 a record that cannot be replaced is unchanged, and no temporary file is left', async (t) => {
  const directory = t.testdir()
  await new FileStore({ directory }).create({ id: 'a', offset: 0 })
  const store = new FileStore({ directory, fs: { ...fileSystem, rename: fault('EIO') } })
  await t.rejects(store.declareUploadLength('a', 5), { code: 'EIO' })
  t.equal((await store.getUpload('a')).size, undefined)
  t.same((await fs.readdir(directory)).sort(), ['a', 'a.json'])
})

t.test('PATCH-11 an append whose sync fails does not commit, and its file is closed', async (t) => {
  const directory = t.testdir()
  let closed = 0
  const fs = faulty((file) => ({
    datasync: fault('EIO'),
    close: async () => {
      closed++
      await file.close()
    }
  }))
  const store = new FileStore({ directory, fs })
  const upload = await store.create({ id: 'a', size: 3, offset: 0 })
  closed = 0
  const append = await store.openAppend(upload)
  await append.write([Buffer.from('abc')], 3)
  await t.rejects(append.commit(), { code: 'EIO' })
  t.equal(closed, 1)
})

t.test('a directory is synced if the system supports it, and not on Windows', async (t) => {
  const synced: string[] = []
  const fs = faulty((file, name) => ({
    sync: async () => {
      synced.push(name)
      await file.sync()
    }
  }))
  const directory = path.join(t.testdir(), 'uploads')
  const store = new FileStore({ directory, fs })
  const upload = await store.create({ id: 'a', size: 0, offset: 0 })
  t.same(synced, [], 'not at every creation')
  await store.update(upload, { finished: true })
  t.same(synced, ['uploads'])

  t.intercept(process, 'platform', { value: 'win32' })
  await store.update(upload, { finished: true })
  t.same(synced, ['uploads'])
})

t.test('a file that cannot be deleted keeps its record, so that a sweep finds it', async (t) => {
  const directory = t.testdir()
  await new FileStore({ directory }).create({ id: 'a', offset: 0 })
  const store = new FileStore({ directory, fs: { ...fileSystem, unlink: fault('EBUSY') } })
  await t.rejects(store.remove('a'), { code: 'EBUSY' })
  t.same((await fs.readdir(directory)).sort(), ['a', 'a.json'])
})

t.test('an orphan that cannot be read does not keep the others', async (t) => {
  const directory = t.testdir({ 'a.json.01234567.tmp': '', 'b.json.01234567.tmp': '', 'c.json.01234567.tmp': '' })
  for (const name of await fs.readdir(directory)) await fs.utimes(path.join(directory, name), 0, 0)
  const stat: FileSystem['stat'] = async (file) =>
    path.basename(file).startsWith('b') ? await fault('EIO')() : await fileSystem.stat(file)
  t.equal(await new FileStore({ directory, fs: { ...fileSystem, stat } }).removeOrphans(), 2)
  t.same(await fs.readdir(directory), ['b.json.01234567.tmp'])
})

t.test('CONCAT-16 a part that lost bytes is not concatenated', async (t) => {
  const directory = t.testdir()
  const store = new FileStore({ directory })
  const parts = []
  for (const id of ['a', 'b']) {
    await store.create({ id, size: 3, offset: 0 })
    await store.write(Readable.from([Buffer.from('abc')]), id, 0)
    parts.push(await store.getUpload(id))
  }
  await fs.truncate(path.join(directory, 'b'), 1)
  const final = await store.create({
    id: 'final',
    size: 6,
    offset: 0,
    complete: false,
    concatenation: { header: 'final;a b', parts: [{ id: 'a' }, { id: 'b' }] }
  })
  await t.rejects(store.concatenate(final, parts), { code: 'EIO' })
  t.same((await fs.readdir(directory)).sort(), ['a', 'a.json', 'b', 'b.json', 'final', 'final.json'])
  t.match(await store.getUpload('final'), { offset: 0, complete: false })
})

t.test('CKSUM-07 if leftovers of a crash cannot be truncated, nothing is written after them', async (t) => {
  const directory = t.testdir()
  const upload = await new FileStore({ directory }).create({ id: 'a', size: 3, offset: 0 })
  let closed = 0
  const fs = faulty((file) => ({
    truncate: fault('EIO'),
    close: async () => {
      closed++
      await file.close()
    }
  }))
  const store = new FileStore({ directory, fs })
  await t.rejects(store.openAppend({ ...upload, verified: 0 }), { code: 'EIO' })
  t.equal(closed, 1)
})
