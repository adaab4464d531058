/** A failed fsync is reported once: bytes that may be lost must not count in any later request. */
import fs from 'node:fs/promises'
import path from 'node:path'
import t, { type Test } from 'tap'
import { SYNC_BYTES } from '../../../plugin/stores/file/background-sync.ts'
import { FileStore, type FileStoreOptions } from '../../../plugin/stores/file/file-store.ts'
import { type FileSystem, fileSystem, type OpenFile } from '../../../plugin/stores/file/file-system/file-system.ts'
import { build, sampleBytes, temporaryDirectory } from '../../helper.ts'

const MIB = 1024 * 1024
const SIZE = 2 * SYNC_BYTES

interface Rig {
  store: FileStore
  directory: string
  /** Which calls on files of uploads fail, once each. */
  broken: Set<'datasync' | 'truncate'>
  /** Appends bytes of the sample up to an offset. */
  appendTo: (end: number, unverified?: boolean) => Promise<number>
  stored: () => Promise<Buffer>
  /** Runs `work` before the next record is renamed. */
  whileRenaming: (work: () => Promise<void>) => void
}

const sample = sampleBytes(SIZE)

/** A store with an upload `a`, on a disk that fails once on request. */
async function rig (t: Test, options: Partial<FileStoreOptions> = {}): Promise<Rig> {
  const directory = await temporaryDirectory(t)
  const broken: Rig['broken'] = new Set()
  const open: FileSystem['open'] = async (name, flags) => {
    const file = await fileSystem.open(name, flags)
    if (path.extname(name) !== '') return file
    for (const call of ['datasync', 'truncate'] as const) {
      const work = file[call].bind(file) as OpenFile['truncate']
      file[call] = async (length?: number) => {
        if (broken.delete(call)) throw Object.assign(new Error(call), { code: 'EIO' })
        await work(length as number)
      }
    }
    return file
  }
  let work = async () => {}
  const rename: FileSystem['rename'] = async (from, to) => {
    const now = work
    work = async () => {}
    await now()
    await fileSystem.rename(from, to)
  }
  const store = new FileStore({ directory, fs: { ...fileSystem, open, rename }, ...options })
  t.teardown(() => store.close())
  await store.create({ id: 'a', size: SIZE, offset: 0 })
  const appendTo = async (end: number, unverified = false) => {
    const upload = await store.getUpload('a')
    const append = await store.openAppend(upload, { unverified })
    try {
      for (let at = upload.offset; at < end; at += MIB) await append.write([sample.subarray(at, at + MIB)], MIB)
    } catch {
      // The commit keeps the bytes that arrived, if possible.
    }
    return await append.commit()
  }
  const whileRenaming = (what: () => Promise<void>) => { work = what }
  return { store, directory, broken, appendTo, stored: () => fs.readFile(path.join(directory, 'a')), whileRenaming }
}

const eio = { code: 'EIO' }

t.test('PATCH-11 a failed sync removes the bytes that may be lost, and the upload can be resumed', async (t) => {
  const { store, broken, appendTo, stored } = await rig(t)
  await appendTo(4 * MIB)
  broken.add('datasync')
  await t.rejects(appendTo(SIZE), eio)
  t.equal((await store.getUpload('a')).offset, 0, 'none of it is known to be on disk')
  t.equal(await appendTo(SIZE), SIZE)
  t.ok((await stored()).equals(sample))
})

t.test('bytes that were synced before a failed sync are kept', async (t) => {
  for (const slice of [SYNC_BYTES, 4 * MIB]) {
    const { store, broken, appendTo, stored } = await rig(t, { exclusive: true })
    for (let end = slice; end < SIZE; end += slice) await appendTo(end)
    broken.add('datasync')
    await t.rejects(appendTo(SIZE), eio)
    t.equal((await store.getUpload('a')).offset, SYNC_BYTES, `in slices of ${slice} bytes`)
    t.equal(await appendTo(SIZE), SIZE)
    t.ok((await stored()).equals(sample))
  }
})

t.test('durability "every-append": a failed sync removes only the bytes of its append', async (t) => {
  const { store, broken, appendTo } = await rig(t, { durability: 'every-append', exclusive: true })
  await appendTo(4 * MIB)
  broken.add('datasync')
  await t.rejects(appendTo(6 * MIB), eio)
  t.equal((await store.getUpload('a')).offset, 4 * MIB)
})

t.test('durability "every-append": bytes of a killed process are synced before they count', async (t) => {
  for (const contact of ['head', 'patch'] as const) {
    const { store, directory, broken } = await rig(t, { durability: 'every-append' })
    const { head, patch } = await build(t, { datastore: store })
    await fs.writeFile(path.join(directory, 'a'), sample.subarray(0, 4))
    broken.add('datasync')
    const refused = contact === 'head' ? await head('/files/a') : await patch('/files/a', 4, 'abc')
    t.equal(refused.statusCode, contact === 'head' ? 423 : 503)
    t.equal((await head('/files/a')).headers['upload-offset'], '0')
    t.equal((await patch('/files/a', 0, sample.subarray(0, 9))).statusCode, 204)
    t.equal((await head('/files/a')).headers['upload-offset'], '9')
  }
})

t.test('verified bytes do not count either after a failed sync', async (t) => {
  const { store, broken, appendTo, stored } = await rig(t)
  await appendTo(4 * MIB, true)
  broken.add('datasync')
  await t.rejects(appendTo(SIZE), eio)
  t.equal((await store.getUpload('a')).offset, 0)
  t.equal(await appendTo(SIZE), SIZE)
  t.ok((await stored()).equals(sample))
})

t.test('if a file cannot be truncated, the record keeps the valid offset, also after a restart', async (t) => {
  const { store, directory, broken, appendTo, stored } = await rig(t)
  broken.add('datasync').add('truncate')
  await t.rejects(appendTo(SIZE), eio)
  for (const asked of [store, new FileStore({ directory })]) t.equal((await asked.getUpload('a')).offset, 0)
  t.equal(await appendTo(SIZE), SIZE)
  t.ok((await stored()).equals(sample))
})

t.test('the upload can be read while its bytes are removed, with a consistent offset', async (t) => {
  const { store, broken, appendTo, whileRenaming } = await rig(t)
  await appendTo(4 * MIB, true)
  broken.add('datasync')
  const offsets: number[] = []
  whileRenaming(async () => { offsets.push((await store.getUpload('a')).offset) })
  await t.rejects(appendTo(SIZE), eio)
  offsets.push((await store.getUpload('a')).offset)
  t.same(offsets, [4 * MIB, 0])
})

t.test('an upload whose bytes cannot be removed is gone, and can be deleted', async (t) => {
  const { store, broken, appendTo, whileRenaming } = await rig(t)
  broken.add('datasync').add('truncate')
  whileRenaming(async () => { throw Object.assign(new Error('rename'), { code: 'EIO' }) })
  await t.rejects(appendTo(SIZE), eio)
  await t.rejects(store.getUpload('a'), { code: 'FST_TUS_GONE' })
  await store.remove('a')
  await store.create({ id: 'a', size: SIZE, offset: 0 })
  t.equal(await appendTo(SIZE), SIZE)
})

t.test('a complete upload of a killed process is synced before its finish hook runs', async (t) => {
  const { store, directory, broken } = await rig(t)
  const finished: string[] = []
  const { head, patch } = await build(t, {
    datastore: store, onUploadFinish: (_request, { id }) => { finished.push(id) }
  })
  await fs.writeFile(path.join(directory, 'a'), sample)
  broken.add('datasync')
  t.equal((await head('/files/a')).statusCode, 423)
  t.equal((await head('/files/a')).headers['upload-offset'], '0', 'none of it is known to be on disk')
  t.same(finished, [])
  t.equal((await patch('/files/a', 0, sample)).statusCode, 204)
  t.same(finished, ['a'])
})

t.test('a final upload whose sync fails is concatenated again', async (t) => {
  const { store, directory, broken, appendTo } = await rig(t)
  await appendTo(SIZE)
  const concatenation = { header: 'final;/a', parts: [{ id: 'a' }] }
  await store.create({ id: 'b', size: SIZE, offset: 0, complete: true, concatenation })
  // As left by a process that was killed after the concatenation.
  await fs.writeFile(path.join(directory, 'b'), sample)
  broken.add('datasync')
  await t.rejects(store.sync(await store.getUpload('b')), eio)
  const waiting = await store.getUpload('b')
  t.match(waiting, { offset: 0, complete: false })
  await store.update(await store.concatenate(waiting, [await store.getUpload('a')]), { finished: true })
  t.match(await store.getUpload('b'), { offset: SIZE, finished: true })
  t.ok((await fs.readFile(path.join(directory, 'b'))).equals(sample))
})

t.test('EDGE-45 a client resends the bytes that a failing disk may have lost', async (t) => {
  const { store, broken } = await rig(t)
  const { create, patch, head, request } = await build(t, { datastore: store })
  const location = await create(6)
  t.equal((await patch(location, 0, 'abc')).statusCode, 204)
  broken.add('datasync')
  t.match((await patch(location, 3, 'def')).json(), { statusCode: 503, code: 'FST_TUS_STORE_UNAVAILABLE' })
  t.equal((await head(location)).headers['upload-offset'], '0')
  t.equal((await patch(location, 0, 'abcdef')).statusCode, 204)
  t.equal((await request('GET', location)).body, 'abcdef')
})
