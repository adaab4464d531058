import { S3Client } from '@aws-sdk/client-s3'
import t from 'tap'
import { Bucket } from '../../../plugin/stores/s3/bucket/bucket.ts'
import { removeOrphans } from '../../../plugin/stores/s3/sweeps/orphans.ts'
import { until } from '../../helper.ts'
import { append, collect, MIB, type Rig, skip, startRig, STATE } from './rig.ts'

const MINUTE = 60_000
const HOUR = 3_600_000
const DAY = 24 * HOUR
const created = '2026-01-02T03:00:00.000Z'
const start = Date.parse(created)

const markers = (rig: Rig) => rig.keys('.tus-due/')

t.test('an upload is due at growing intervals', { skip }, async (t) => {
  const rig = await startRig(t)
  const store = rig.open()
  await store.create({ id: 'a', size: 3, offset: 0, creation_date: created })
  t.same(await markers(rig), ['.tus-due/20260102T030100-a'])
  t.same(await collect(store.due(start + MINUTE - 1000)), [])
  t.same(await collect(store.due(start + MINUTE)), ['a'])
  t.same(await markers(rig), ['.tus-due/20260102T030200-a'], 'a minute later')
  t.same(await collect(store.due(start + 80 * MINUTE)), ['a'])
  t.same(await markers(rig), ['.tus-due/20260102T043000-a'], 'an eighth of its age later')
  t.same(await collect(store.list()), ['a'])
})

t.test('a finished upload is not due any more', { skip }, async (t) => {
  const rig = await startRig(t)
  const store = rig.open()
  for (const id of ['a', 'b', 'c', 'd']) {
    const concatenation = id === 'c' ? { header: 'partial' } : undefined
    await store.create({ id, size: 0, offset: 0, creation_date: created, concatenation })
  }
  await collect(store.due(start + MINUTE))
  for (const id of ['b', 'c', 'd']) {
    await store.update(await store.getUpload(id), { finished: true, refused: id === 'd' })
  }
  await store.close()
  t.equal((await markers(rig)).length, 4, 'its marker has moved')
  t.same(await collect(store.due(start + 2 * MINUTE)), ['a', 'c', 'd'], 'parts and refused uploads expire')
  t.equal((await markers(rig)).length, 3)
  await store.create({ id: 'e', size: 0, offset: 0, creation_date: created })
  await store.update(await store.getUpload('e'), { finished: true })
  await store.close()
  t.equal((await markers(rig)).length, 3, 'a sweep has nothing to do')
})

t.test('a marker of no upload is deleted once no creation can be under way', { skip }, async (t) => {
  const rig = await startRig(t)
  const store = rig.open()
  await store.create({ id: 'a', size: 3, offset: 0, creation_date: created })
  await rig.bucket.delete('.tus/a/state')
  t.same(await collect(store.due(Date.now())), [])
  t.equal((await markers(rig)).length, 1)
  t.same(await collect(store.due(Date.now() + 25 * HOUR)), [])
  t.same(await markers(rig), [])
})

t.test('a sweep by a clock that is ahead leaves the marker of a creation under way', { skip }, async (t) => {
  const rig = await startRig(t)
  rig.proxy.add({ method: 'PUT', url: STATE, nth: 1, fault: 'stall-before' })
  const creation = rig.open().create({ id: 'a'.repeat(32), size: 3, offset: 0 })
  await until(() => rig.proxy.count({ method: 'PUT', url: STATE }) === 1)
  const ahead = Date.now() + 2 * HOUR
  t.same(await collect(rig.open().due(ahead)), [])
  rig.proxy.release()
  const { id } = await creation
  t.same(await collect(rig.open().due(ahead)), [id])
})

t.test('an upload with two markers is reported once', { skip }, async (t) => {
  const rig = await startRig(t)
  const store = rig.open()
  await store.create({ id: 'a', size: 3, offset: 0, creation_date: created })
  await t.rejects(store.create({ id: 'a', offset: 0, creation_date: '2026-01-02T03:05:00.000Z' }))
  t.equal((await markers(rig)).length, 2)
  t.same(await collect(store.due(start + 10 * MINUTE)), ['a'])
  t.equal((await markers(rig)).length, 1)
})

t.test('a creation that a crash interrupts leaves no upload that no sweep finds', { skip }, async (t) => {
  for (let n = 1; ; n++) {
    const rig = await startRig(t)
    let requests = 0
    rig.proxy.add({ nth: () => ++requests >= n, fault: 'reset-before' })
    const isDone = await rig.open().create({ id: 'a'.repeat(32), offset: 0 }).then(() => true, () => false)
    rig.proxy.clear()
    const uploads = await collect(rig.open().list())
    t.same(await collect(rig.open().due(Date.now())), uploads, `request ${n}`)
    if (isDone) break
  }
})

for (const isFinished of [false, true]) {
  t.test(`a sweep completes an interrupted deletion, finished: ${isFinished}`, { skip }, async (t) => {
    for (let n = 1; ; n++) {
      const rig = await startRig(t, { segmentSize: 5 * MIB })
      const store = rig.open()
      await store.create({ id: 'a', size: 5 * MIB, offset: 0, creation_date: created })
      const upload = await append(store, 'a', Buffer.alloc(isFinished ? 5 * MIB : 300_000))
      if (isFinished) {
        await store.sync(upload)
        await store.update(upload, { finished: true })
      }
      await store.close()
      let requests = 0
      rig.proxy.add({ nth: () => ++requests >= n, fault: 'reset-before' })
      const dying = rig.open()
      const isDone = await dying.remove('a').then(() => true, () => false)
      await dying.close()
      rig.proxy.clear()
      const next = rig.open()
      const isThere = await next.getUpload('a').then(() => true, () => false)
      await collect(next.due(Date.now() + 25 * HOUR))
      if (!isThere) t.same(await rig.keys(), [], `request ${n}`)
      if (isDone) break
      if (isThere) await next.remove('a')
      await next.close()
      await collect(next.due(Date.now() + 400 * DAY))
      t.same(await rig.keys(), [], `request ${n}, deleted again`)
    }
  })
}

t.test('an id is free although its deletion was interrupted', { skip }, async (t) => {
  const rig = await startRig(t)
  const store = rig.open()
  await store.create({ id: 'a', size: 6, offset: 0 })
  await append(store, 'a', Buffer.alloc(6))
  rig.proxy.add({ method: 'DELETE', fault: 500 })
  await t.rejects(store.remove('a'), { code: 'FST_TUS_STORE_UNAVAILABLE' })
  await t.rejects(store.remove('a'), { code: 'FST_TUS_NOT_FOUND' })
  t.same(await collect(store.due(Date.now() + 61 * MINUTE)), [], 'a deletion that fails again ends no sweep')
  rig.proxy.clear()
  t.match(await rig.open().create({ id: 'a', size: 3, offset: 0 }), { offset: 0, size: 3 })
})

t.test('two processes may delete the same upload', { skip }, async (t) => {
  const rig = await startRig(t)
  const store = rig.open()
  await store.create({ id: 'a', size: 600_000, offset: 0 })
  await append(store, 'a', Buffer.alloc(500_000))
  rig.proxy.add({ method: 'DELETE', url: /state/, nth: 1, fault: 'stall-before' })
  const first = store.remove('a')
  await until(() => rig.proxy.log.some(({ fault }) => fault !== undefined))
  await collect(rig.open().due(Date.now() + 61 * MINUTE))
  await rig.open().create({ id: 'a', size: 3, offset: 0 })
  rig.proxy.release()
  await first
  t.match(await rig.open().getUpload('a'), { size: 3 }, 'the new upload stays')
})

t.test('of two deletions at once, one finds no upload', { skip }, async (t) => {
  const rig = await startRig(t)
  const [store, other] = [rig.open(), rig.open()]
  await store.create({ id: 'a', size: 3, offset: 0 })
  rig.proxy.add({ method: 'PUT', url: STATE, nth: 1, fault: 'stall-before' })
  const first = t.rejects(store.remove('a'), { code: 'FST_TUS_NOT_FOUND' })
  await until(() => rig.proxy.log.some(({ fault }) => fault !== undefined))
  await other.remove('a')
  rig.proxy.release()
  await first
})

t.test('orphans are segments of a day ago that no state names', { skip }, async (t) => {
  const rig = await startRig(t)
  const { bucket, states } = rig
  const store = rig.open()
  for (const id of ['a', 'b', 'c']) {
    await store.create({ id, size: 600_000, offset: 0 })
    await append(store, id, Buffer.alloc(300_000))
  }
  const known = await rig.keys('.tus/')
  await bucket.put('.tus/b/left', Buffer.from('x'))
  await bucket.put('.tus/gone/left', Buffer.from('x'))
  t.equal(await removeOrphans(bucket, states, Date.now() + DAY - MINUTE), 0)
  t.equal(await removeOrphans(bucket, states, Date.now() + DAY + MINUTE), 2)
  t.same(await rig.keys('.tus/'), known)
  t.equal(await store.removeOrphans(), 0)
  const lists = rig.proxy.count({ method: 'GET', url: /list-type/ })
  t.equal(await store.removeOrphans(), 0)
  t.equal(rig.proxy.count({ method: 'GET', url: /list-type/ }), lists, 'once a day')
  const empty = await startRig(t)
  t.equal(await removeOrphans(empty.bucket, empty.states, Date.now()), 0)
})

t.test('more objects than fit into one list are found', { skip }, async (t) => {
  const rig = await startRig(t)
  const keys = Array.from({ length: 7 }, (_, i) => `.tus/a/${i}`)
  for (const key of keys) await rig.bucket.put(key, Buffer.from('x'))
  const client = new S3Client(rig.engine.clientConfig())
  t.teardown(() => client.destroy())
  client.middlewareStack.add((next) => async (args) => await next({ ...args, input: { ...args.input, MaxKeys: 2 } }), {
    step: 'initialize'
  })
  const bucket = new Bucket({ client, name: rig.bucketName, prefix: '', isConditional: true, retryTime: 0 })
  t.same((await collect(bucket.list('.tus/'))).map(({ key }) => key), keys)
  t.equal(await removeOrphans(bucket, rig.states, Date.now() + 2 * DAY), 7)
  t.same(await rig.keys(), [])
})
