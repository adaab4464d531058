import fs from 'node:fs/promises'
import path from 'node:path'
import { buffer } from 'node:stream/consumers'
import t from 'tap'
import { FileStore } from '../../../plugin/stores/file/file-store.ts'

t.test('CKSUM-07 uncommitted bytes do not count after a crash', async (t) => {
  const directory = t.testdir()
  const crashed = new FileStore({ directory })
  const upload = await crashed.create({ id: 'a', size: 6, offset: 0 })
  const append = await crashed.openAppend(upload, { unverified: true })
  await append.write([Buffer.from('wrong')], 5)
  // The process ends here; nothing is closed or rolled back.
  t.equal((await fs.stat(path.join(directory, 'a'))).size, 5)

  const store = new FileStore({ directory })
  const found = await store.getUpload('a')
  t.equal(found.offset, 0)
  const again = await store.openAppend(found, { unverified: true })
  await again.write([Buffer.from('abc')], 3)
  t.equal((await store.getUpload('a')).offset, 0, 'they do not count before the commit')
  t.equal(await again.commit(), 3)
  t.match(await store.getUpload('a'), { offset: 3 })
  t.equal((await fs.stat(path.join(directory, 'a'))).size, 3, 'and the leftovers of the crash are gone')
  await append.rollback().catch(() => {})
})

t.test('bytes without a checksum count after verified ones', async (t) => {
  const directory = t.testdir()
  const store = new FileStore({ directory })
  const first = await store.openAppend(await store.create({ id: 'a', size: 6, offset: 0 }), { unverified: true })
  await first.write([Buffer.from('abc')], 3)
  await first.commit()
  const second = await store.openAppend(await store.getUpload('a'))
  await second.write([Buffer.from('def')], 3)
  t.equal(await second.commit(), 6)
  const complete = await store.getUpload('a')
  t.equal(complete.offset, 6)
  await store.update(complete, { finished: true })
  t.match(await store.getUpload('a'), { offset: 6, finished: true, verified: undefined })
})

t.test('a complete upload is finished, whatever offset its record had before', async (t) => {
  const store = new FileStore({ directory: t.testdir() })
  const upload = await store.create({ id: 'a', size: 3, offset: 0 })
  const append = await store.openAppend(upload, { unverified: true })
  await append.write([Buffer.from('abc')], 3)
  await append.commit()
  await store.update({ ...upload, verified: 0, offset: 3 }, { finished: true })
  t.match(await store.getUpload('a'), { offset: 3, finished: true })
})

t.test('CKSUM-08 the written bytes are read back for a checksum that follows the body', async (t) => {
  const store = new FileStore({ directory: t.testdir() })
  await store.create({ id: 'a', size: 3_000_000, offset: 0 })
  const bytes = Buffer.from(Array.from({ length: 2_500_000 }, (_unused, index) => index % 251))
  const append = await store.openAppend({ id: 'a', offset: 0, size: 3_000_000 }, { unverified: true })
  await append.write([bytes], bytes.length)
  const read: Buffer[] = []
  for await (const piece of append.readBack?.() ?? []) read.push(Buffer.from(piece))
  t.ok(Buffer.concat(read).equals(bytes))
  await append.commit()
  t.ok((await buffer(store.read('a'))).equals(bytes))
})

t.test('appending to a file that lost verified bytes is refused', async (t) => {
  const directory = t.testdir()
  const store = new FileStore({ directory })
  const append = await store.openAppend(await store.create({ id: 'a', size: 6, offset: 0 }), { unverified: true })
  await append.write([Buffer.from('abc')], 3)
  await append.commit()
  await fs.truncate(path.join(directory, 'a'), 2)
  await t.rejects(store.getUpload('a'), { code: 'FST_TUS_GONE' })
})
