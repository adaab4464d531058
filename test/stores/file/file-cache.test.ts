import fs from 'node:fs/promises'
import path from 'node:path'
import t, { type Test } from 'tap'
import { FileCache } from '../../../plugin/stores/file/file-cache.ts'
import { FileStore, type FileStoreOptions } from '../../../plugin/stores/file/file-store.ts'
import { type FileSystem, fileSystem, type OpenFile } from '../../../plugin/stores/file/file-system/file-system.ts'
import { StoredUpload } from '../../../plugin/stores/stored-upload.ts'
import { MemoryLocker } from '../../../plugin/index.ts'
import { build, temporaryDirectory, until } from '../../helper.ts'

const record = (id: string) => new StoredUpload({ id, size: 10, offset: 0 })

/** A file that only counts how often it was closed. */
function openFile (): OpenFile & { closed: number } {
  const file = { closed: 0, close: async () => { file.closed++ } }
  return file as never
}

/** A store that records its calls of the file system. */
function recorded (t: Test, options: Pick<FileStoreOptions, 'exclusive' | 'locker'>) {
  const directory = t.testdir()
  const calls: string[] = []
  const open: FileSystem['open'] = async (name, flags) => {
    calls.push(`open ${path.basename(name)}`)
    const file = await fileSystem.open(name, flags)
    const { writev, close } = file
    return Object.assign(file, {
      writev: (...args: Parameters<typeof writev>) => { calls.push('writev'); return writev.apply(file, args) },
      close: () => { calls.push('close'); return close.call(file) }
    })
  }
  const stat: FileSystem['stat'] = (file) => {
    calls.push('stat')
    return fileSystem.stat(file)
  }
  const readFile: FileSystem['readFile'] = (file) => {
    calls.push('readFile')
    return fileSystem.readFile(file)
  }
  const store = new FileStore({ directory, ...options, fs: { ...fileSystem, open, stat, readFile } })
  return { directory, calls, store }
}

async function append (store: FileStore, id: string, text: string): Promise<number> {
  const opened = await store.openAppend(await store.getUpload(id))
  await opened.write([Buffer.from(text)], text.length)
  return await opened.commit()
}

t.test('the next append to an upload only checks the file and writes', async (t) => {
  const { calls, store } = recorded(t, { exclusive: true })
  await store.create({ id: 'a', size: 9, offset: 0 })
  for (const text of ['abc', 'def']) {
    calls.length = 0
    await append(store, 'a', text)
    t.same(calls, ['stat', 'writev'])
  }
  calls.length = 0
  await append(store, 'a', 'ghi')
  t.same(calls, ['stat', 'writev', 'close'], 'the file of a complete upload is closed')
})

t.test('CKSUM-10 bytes written through the file of a creation can be read back', async (t) => {
  const { store } = recorded(t, { exclusive: true })
  const append = await store.openAppend(await store.create({ id: 'a', size: 9, offset: 0 }))
  await append.write([Buffer.from('abc')], 3)
  const bytes = []
  for await (const piece of append.readBack?.() ?? []) bytes.push(piece)
  t.equal(String(Buffer.concat(bytes)), 'abc')
  await append.commit()
})

t.test('nothing is cached if other processes write too', async (t) => {
  const { calls, store } = recorded(t, {})
  await store.create({ id: 'a', size: 9, offset: 0 })
  for (const text of ['abc', 'def']) {
    calls.length = 0
    await append(store, 'a', text)
    t.same(calls, ['readFile', 'stat', 'open a', 'writev', 'close'])
  }
})

t.test('an upload is cached as long as no other process can have written to it', async (t) => {
  let tenure: number | undefined = 1
  const { calls, store, directory } = recorded(t, { locker: { shared: true, tenure: () => tenure } })
  const cached = ['stat', 'writev']
  const uncached = ['readFile', 'stat', 'open a', 'writev']
  const nextAppend = async () => {
    calls.length = 0
    await append(store, 'a', 'ab')
    return calls.filter((call) => call !== 'close')
  }
  await store.create({ id: 'a', size: 100, offset: 0 })
  t.same(await nextAppend(), cached)
  tenure = undefined
  t.same(await nextAppend(), uncached, 'another process may hold the lock')
  t.same(await nextAppend(), uncached)
  tenure = 2
  t.same(await nextAppend(), uncached)
  t.same(await nextAppend(), cached)
  const other = new FileStore({ directory })
  await other.update(await other.getUpload('a'), { refused: true })
  tenure = 3
  t.equal((await store.getUpload('a')).refused, true, 'a record of the same length is read again')
})

t.test('a record that was read while the lock moved is not cached', async (t) => {
  let tenure = 1
  const cache = new FileCache({ records: 10, files: 10, openMs: 20 }, () => tenure)
  await cache.readThrough('a', async () => {
    tenure++
    return { record: record('a'), bytes: 0, isCacheable: true }
  })
  t.notOk(cache.has('a'))
})

t.test('a change by another process is noticed nevertheless', async (t) => {
  const { directory, store } = recorded(t, { exclusive: true })
  const other = new FileStore({ directory })
  await store.create({ id: 'a', offset: 0 })
  await append(store, 'a', 'abc')
  await other.declareUploadLength('a', 9)
  await append(other, 'a', 'def')
  t.match(await store.getUpload('a'), { offset: 6, size: 9 })

  await append(store, 'a', 'g')
  await fs.rm(path.join(directory, 'a'))
  await t.rejects(store.getUpload('a'), { code: 'FST_TUS_GONE' })
  await fs.rm(path.join(directory, 'a.json'))
  await t.rejects(store.getUpload('a'), { code: 'FST_TUS_NOT_FOUND' })
})

t.test('a file stays open for a moment, and is closed then', async (t) => {
  const cache = new FileCache({ records: 10, files: 10, openMs: 20 })
  const [first, second] = [openFile(), openFile()]
  cache.remember('a', record('a'), 0)
  await cache.keepFile('a', first)
  t.equal(cache.takeFile('a'), first)
  t.equal(cache.takeFile('a'), undefined, 'it has one user at a time')
  await cache.keepFile('a', first)
  await new Promise((resolve) => setTimeout(resolve, 10))
  cache.remember('b', record('b'), 0)
  await cache.keepFile('b', second)
  await until(() => first.closed === 1 && second.closed === 1)
  t.equal(cache.takeFile('a'), undefined)
  t.match(cache.recordOf('a', 0), { id: 'a' }, 'the record stays')
})

t.test('the cache evicts the oldest files and records beyond its limits', async (t) => {
  const cache = new FileCache({ records: 3, files: 2, openMs: 60_000 })
  const files = [openFile(), openFile(), openFile()]
  for (const [at, file] of files.entries()) {
    cache.remember(String(at), record(String(at)), 0)
    await cache.keepFile(String(at), file)
  }
  t.same(files.map(({ closed }) => closed), [1, 0, 0])
  for (const id of ['3', '4']) cache.remember(id, record(id), 0)
  t.same(['0', '1', '2', '3', '4'].map((id) => cache.recordOf(id, 0)?.id), [undefined, undefined, '2', '3', '4'])
  t.equal(files[1]?.closed, 1, 'a file without its record is not cached')
})

t.test('two concurrent users keep one file', async (t) => {
  const cache = new FileCache({ records: 3, files: 2, openMs: 60_000 })
  const [first, second] = [openFile(), openFile()]
  cache.remember('a', record('a'), 0)
  await cache.keepFile('a', first)
  await cache.keepFile('a', second)
  t.same([first.closed, second.closed], [0, 1])
})

t.test('an error while closing a file in the background is ignored', async (t) => {
  const cache = new FileCache({ records: 3, files: 2, openMs: 60_000 })
  const file = { close: async () => { throw new Error('EIO') } } as never
  cache.remember('a', record('a'), 0)
  await cache.keepFile('a', file)
  cache.forget('a')
  t.equal(cache.takeFile('a'), undefined)
})

t.test('cached files are closed with the store, which remains usable', async (t) => {
  const { calls, store } = recorded(t, { exclusive: true })
  for (const id of ['a', 'b']) await store.create({ id, size: 9, offset: 0 })
  calls.length = 0
  await store.close()
  t.same(calls, ['close', 'close'])
  t.equal(await append(store, 'a', 'abc'), 3)
  await store.close()
})

t.test('no file stays open after the app has closed', async (t) => {
  const { calls, store } = recorded(t, { exclusive: true })
  const { app, create, patch } = await build(t, { datastore: store })
  t.equal((await patch(await create(9), 0, 'abc')).statusCode, 204)
  calls.length = 0
  await app.close()
  t.equal(calls.filter((call) => call === 'close').length, 1)
})

t.test('two registrations that share a directory and a locker see the changes of each other', async (t) => {
  const directory = await temporaryDirectory(t)
  const locker = new MemoryLocker()
  const one = await build(t, { directory, locker })
  const other = await build(t, { directory, locker })
  const location = await one.create('deferred')
  t.equal((await one.patch(location, 0, 'abc')).statusCode, 204)
  t.equal((await other.patch(location, 3, '', { 'upload-length': '9' })).statusCode, 204)
  t.equal((await one.head(location)).headers['upload-length'], '9')
})

t.test('changes of a hook to its upload object are not cached', async (t) => {
  const app = await build(t, {
    authorize: (_request, { action, upload }) => {
      if (action === 'append') Object.assign(upload.metadata ?? {}, { owner: 'bob' })
    }
  })
  const location = await app.create(6, { 'upload-metadata': 'filename YS50eHQ=' })
  for (const [offset, text] of [[0, 'abc'], [3, 'def']] as const) {
    t.equal((await app.patch(location, offset, text)).statusCode, 204)
  }
  const record = JSON.parse(await fs.readFile(path.join(app.directory, `${path.basename(location)}.json`), 'utf8'))
  t.same(record.metadata, { filename: 'a.txt' })
})
