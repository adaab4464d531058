import nodeFs from 'node:fs'
import fs, { type FileHandle } from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'
import t from 'tap'
import { FileStore } from '../../plugin/stores/file.ts'
import type { FileSystem } from '../../plugin/stores/records.ts'

/** `node:fs` whose opened files behave otherwise: faults that no real disk gives on request. */
function faulty (faults: Partial<Pick<FileHandle, 'writev' | 'writeFile' | 'datasync'>>, name = /./): FileSystem {
  const open: typeof fs.open = async (file, ...rest) => {
    const handle = await fs.open(file, ...rest)
    return name.test(String(file)) ? Object.assign(handle, faults) : handle
  }
  return { ...nodeFs, promises: { ...fs, open } }
}

const fault = (code: string) => async () => { throw Object.assign(new Error(code), { code }) }

t.test('a file system that takes a part of a batch is given the rest', async (t) => {
  const directory = t.testdir()
  const store = new FileStore({
    directory,
    fs: faulty({
      async writev (this: FileHandle, buffers: readonly NodeJS.ArrayBufferView[], position?: number) {
        const bytes = Buffer.concat(buffers as Buffer[]).subarray(0, 3)
        const { bytesWritten } = await this.write(bytes, 0, bytes.length, position)
        return { bytesWritten, buffers }
      }
    } as never)
  })
  const upload = await store.create({ id: 'a', size: 10, offset: 0 })
  const append = await store.openAppend(upload)
  await append.write([Buffer.from('ab'), Buffer.from('cdef'), Buffer.from('ghij')], 10)
  t.equal(await append.commit(), 10)
  t.equal(await fs.readFile(path.join(directory, 'a'), 'utf8'), 'abcdefghij')
})

t.test('a file system that takes nothing and says nothing is an error, not a loop', async (t) => {
  const writev = async (buffers: readonly NodeJS.ArrayBufferView[]) => ({ bytesWritten: 0, buffers })
  const store = new FileStore({ directory: t.testdir(), fs: faulty({ writev } as never) })
  await store.create({ id: 'a', size: 10, offset: 0 })
  await t.rejects(store.write(Readable.from([Buffer.from('abc')]), 'a', 0), { code: 'EIO' })
})

t.test('EDGE-45 a creation that fails half-way leaves no files', async (t) => {
  const directory = t.testdir()
  const fullForRecords = new FileStore({ directory, fs: faulty({ writeFile: fault('ENOSPC') as never }) })
  await t.rejects(fullForRecords.create({ id: 'a', offset: 0 }), { code: 'ENOSPC' })
  t.same(await fs.readdir(directory), [])

  const open: typeof fs.open = async (file, ...rest) => {
    if (path.basename(String(file)) === 'b') return await fault('EMFILE')()
    return await fs.open(file, ...rest)
  }
  const noHandles = new FileStore({ directory, fs: { ...nodeFs, promises: { ...fs, open } } })
  await t.rejects(noHandles.create({ id: 'b', offset: 0 }), { code: 'EMFILE' })
  t.same(await fs.readdir(directory), [])
})

t.test('EDGE-45 trouble with reading a record is not an upload that does not exist', async (t) => {
  for (const call of ['readFile', 'stat'] as const) {
    const directory = t.testdir({ a: '', 'a.json': '{"id":"a","offset":0}' })
    const store = new FileStore({ directory, fs: { ...nodeFs, promises: { ...fs, [call]: fault('EMFILE') } } })
    await t.rejects(store.getUpload('a'), { code: 'EMFILE' }, call)
  }
})

t.test('B-07 a record that cannot be replaced stays as it was, and nothing lies beside it', async (t) => {
  const directory = t.testdir()
  await new FileStore({ directory }).create({ id: 'a', offset: 0 })
  const store = new FileStore({ directory, fs: { ...nodeFs, promises: { ...fs, rename: fault('EIO') } } })
  await t.rejects(store.declareUploadLength('a', 5), { code: 'EIO' })
  t.equal((await store.getUpload('a')).size, undefined)
  t.same((await fs.readdir(directory)).sort(), ['a', 'a.json'])
})

t.test('PATCH-11 an append whose flush fails does not commit, and its file is closed', async (t) => {
  const directory = t.testdir()
  let closed = 0
  const open: typeof fs.open = async (file, ...rest) => {
    const handle = await fs.open(file, ...rest)
    const close = handle.close.bind(handle)
    return Object.assign(handle, {
      datasync: fault('EIO'),
      close: async () => {
        closed++
        await close()
      }
    })
  }
  const store = new FileStore({ directory, fs: { ...nodeFs, promises: { ...fs, open } } })
  const upload = await store.create({ id: 'a', size: 3, offset: 0 })
  closed = 0
  const append = await store.openAppend(upload)
  await append.write([Buffer.from('abc')], 3)
  await t.rejects(append.commit(), { code: 'EIO' })
  t.equal(closed, 1)
})

t.test('a directory is flushed where the system knows that, and left alone on Windows', async (t) => {
  const synced: string[] = []
  const open: typeof fs.open = async (file, ...rest) => {
    const handle = await fs.open(file, ...rest)
    const sync = handle.sync.bind(handle)
    return Object.assign(handle, {
      sync: async () => {
        synced.push(path.basename(String(file)))
        await sync()
      }
    })
  }
  const directory = path.join(t.testdir(), 'uploads')
  const store = new FileStore({ directory, fs: { ...nodeFs, promises: { ...fs, open } } })
  const upload = await store.create({ id: 'a', size: 0, offset: 0 })
  t.same(synced, [], 'not at every creation')
  await store.markFinished(upload)
  t.same(synced, ['uploads'])

  t.intercept(process, 'platform', { value: 'win32' })
  await store.markFinished(upload)
  t.same(synced, ['uploads'])
})

t.test('a file that cannot be deleted keeps its record, to be found by', async (t) => {
  const directory = t.testdir()
  await new FileStore({ directory }).create({ id: 'a', offset: 0 })
  const store = new FileStore({ directory, fs: { ...nodeFs, promises: { ...fs, unlink: fault('EBUSY') } } })
  await t.rejects(store.remove('a'), { code: 'EBUSY' })
  t.same((await fs.readdir(directory)).sort(), ['a', 'a.json'])
})

t.test('CONCAT-16 a part that lost bytes is not joined', async (t) => {
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
    id: 'final', size: 6, offset: 0, concatenation: { header: 'final;a b', parts: ['a', 'b'], joined: false }
  })
  await t.rejects(store.concatenate(final, parts), { code: 'EIO' })
  t.same((await fs.readdir(directory)).sort(), ['a', 'a.json', 'b', 'b.json', 'final', 'final.json'])
  t.match(await store.getUpload('final'), { offset: 0, concatenation: { joined: false } })
})

t.test('CKSUM-07 where what a crash left cannot be cut off, nothing is written behind it', async (t) => {
  const directory = t.testdir()
  const upload = await new FileStore({ directory }).create({ id: 'a', size: 3, offset: 0 })
  let closed = 0
  const open: typeof fs.open = async (file, ...rest) => {
    const handle = await fs.open(file, ...rest)
    const close = handle.close.bind(handle)
    return Object.assign(handle, {
      truncate: fault('EIO'),
      close: async () => {
        closed++
        await close()
      }
    })
  }
  const store = new FileStore({ directory, fs: { ...nodeFs, promises: { ...fs, open } } })
  await t.rejects(store.openAppend({ ...upload, verified: 0 }), { code: 'EIO' })
  t.equal(closed, 1)
})
