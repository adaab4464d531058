import path from 'node:path'
import t from 'tap'
import { MemoryLocker } from '../../plugin/index.ts'
import { build, until } from '../helper.ts'
import { CountingStore, rig } from './growing-rig.ts'

t.test('LOCK-06: readers take no lock', async (t) => {
  const locker = new MemoryLocker()
  const { create, patch, read } = await rig(t, { locker })
  const url = await create(6)
  await patch(url, 0, 'abc')
  const lock = locker.newLock(path.basename(url))
  await lock.lock(new AbortController().signal, () => { t.fail('the holder was asked to release') })
  const reader = await read(url)
  await reader.has(3)
  await lock.unlock()
})

t.test('once its last reader has disconnected, an upload is no longer polled', async (t) => {
  const datastore = new CountingStore({ directory: t.testdir() })
  const { create, read } = await rig(t, { datastore })
  const [left, other] = [await create(6), await create(6)]
  const polls = (url: string) => datastore.polls.get(path.basename(url)) as number
  const readers = [await read(left), await read(left)]
  const before = polls(left)
  await until(() => polls(left) > before)
  for (const reader of readers) reader.leave()
  // Two polls of the other upload take longer than one poll that may have been running.
  await read(other)
  await until(() => polls(other) > 4)
  const after = polls(left)
  await until(() => polls(other) > 7)
  t.equal(polls(left), after)
})

t.test('many readers at one position cost the store one read', async (t) => {
  const datastore = new CountingStore({ directory: t.testdir() })
  const { create, patch, read } = await rig(t, { datastore })
  const url = await create(300)
  const readers = await Promise.all(Array.from({ length: 30 }, () => read(url)))
  for (let offset = 0; offset < 300; offset += 100) {
    await patch(url, offset, Buffer.alloc(100, 'x'))
    await Promise.all(readers.map((reader) => reader.has(offset + 100)))
  }
  for (const reader of readers) t.equal((await reader.all).toString(), 'x'.repeat(300))
  t.equal(datastore.reads, 3)
})

t.test('bytes of another process are read too', async (t) => {
  const directory = t.testdir()
  const { read } = await rig(t, { directory })
  const other = await build(t, { directory })
  const url = await other.create(6)
  await other.patch(url, 0, 'abc')
  const reader = await read(url)
  await reader.has(3)
  await other.patch(url, 3, 'def')
  t.equal((await reader.all).toString(), 'abcdef')
})

t.test('while the finish hook runs, the upload is still served as a growing one', async (t) => {
  let release = () => {}
  const released = new Promise<void>((resolve) => { release = resolve })
  const { create, patch, read } = await rig(t, { onUploadFinish: () => released })
  const url = await create(6)
  const patched = patch(url, 0, 'abcdef')
  const reader = await read(url)
  t.equal((await reader.all).toString(), 'abcdef')
  t.equal(reader.headers['cache-control'], 'no-store, no-transform')
  release()
  t.equal((await patched).statusCode, 204)
  t.equal((await read(url)).headers['cache-control'], 'no-cache, no-transform')
})
