import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { buffer } from 'node:stream/consumers'
import t from 'tap'
import { until } from '../../helper.ts'
import { append, bytesOf, MIB, type Rig, SEGMENT, skip, startRig } from './rig.ts'

const segmentSize = 5 * MIB

async function stored (rig: Rig): Promise<Buffer> {
  const store = rig.open()
  const content = randomBytes(2 * segmentSize + 1000)
  await store.create({ id: 'a', size: content.length, offset: 0 })
  for (const [start, end] of [[0, segmentSize], [segmentSize, 2 * segmentSize], [2 * segmentSize, content.length]]) {
    await append(store, 'a', content.subarray(start, end))
  }
  return content
}

t.test('ranges over the borders of segments and of the tail are read', { skip }, async (t) => {
  const rig = await startRig(t, { segmentSize })
  const content = await stored(rig)
  const ends = [0, segmentSize - 1, segmentSize, 2 * segmentSize - 1, 2 * segmentSize, content.length - 1]
  const check = async () => {
    for (const start of ends) {
      for (const end of ends.filter((end) => end >= start)) {
        const bytes = await bytesOf(rig.open(), 'a', { start, end })
        t.ok(content.subarray(start, end + 1).equals(bytes), `from ${start} to ${end}`)
      }
    }
  }
  await check()
  const store = rig.open()
  await store.sync(await store.getUpload('a'))
  await check()
})

t.test('a response that breaks in the middle is continued', { skip }, async (t) => {
  const rig = await startRig(t, { segmentSize })
  const content = await stored(rig)
  rig.proxy.add({ method: 'GET', url: SEGMENT, nth: (n) => n <= 3, fault: 'cut' })
  t.ok(content.equals(await bytesOf(rig.open(), 'a')))
  t.equal(rig.proxy.count({ method: 'GET', url: SEGMENT }), 5)
  rig.proxy.add({ method: 'GET', url: SEGMENT, fault: 500 })
  await t.rejects(bytesOf(rig.open(), 'a'), { code: 'FST_TUS_STORE_UNAVAILABLE' }, 'but not forever')
})

t.test('segments that another process assembles meanwhile are followed', { skip }, async (t) => {
  const rig = await startRig(t, { segmentSize })
  const content = await stored(rig)
  const stream = await rig.open().read('a')
  const [first] = await once(stream, 'data') as [Buffer]
  stream.pause()
  const store = rig.open()
  await store.sync(await store.getUpload('a'))
  await store.close()
  t.same((await rig.keys('.tus/')), ['.tus/a/state'])
  t.ok(content.equals(Buffer.concat([first, await buffer(stream)])))
})

t.test('an outdated cache is noticed', { skip }, async (t) => {
  const rig = await startRig(t, { segmentSize })
  const [store, other] = [rig.open(), rig.open()]
  await store.create({ id: 'a', size: 6, offset: 0 })
  await append(store, 'a', Buffer.from('abc'))
  const upload = await append(other, 'a', Buffer.from('def'))
  t.equal((await bytesOf(store, 'a')).toString(), 'abcdef', 'without a range')
  await other.sync(upload)
  t.equal((await bytesOf(store, 'a', { start: 1, end: 4 })).toString(), 'bcde')
})

t.test('bytes that are gone are an error', { skip }, async (t) => {
  const rig = await startRig(t, { segmentSize })
  await stored(rig)
  const store = rig.open()
  const segments = (await rig.keys('.tus/')).filter((key) => !key.endsWith('state'))
  await rig.bucket.deleteAll(segments)
  await t.rejects(bytesOf(store, 'a'), { code: 'FST_TUS_GONE' })
  await t.rejects(bytesOf(store, 'a', { start: 99 * MIB, end: 100 * MIB }), { code: 'FST_TUS_GONE' }, 'beyond the end')
  await t.rejects(rig.open().sync(await store.getUpload('a')), { code: 'FST_TUS_STORE_FAILED' })
  await store.remove('a')
  await t.rejects(store.read('a'), { code: 'FST_TUS_NOT_FOUND' })
})

t.test('a reader that leaves with an error causes no other request', { skip }, async (t) => {
  const rig = await startRig(t, { segmentSize })
  await stored(rig)
  const stream = await rig.open().read('a')
  await once(stream, 'data')
  const requests = rig.proxy.count()
  const closed = once(stream, 'close').catch(() => {})
  stream.destroy(new Error('left'))
  await closed
  await until(() => stream.closed)
  t.equal(rig.proxy.count(), requests)
})
