import { randomBytes } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { Readable } from 'node:stream'
import t from 'tap'
import type { VersionedState } from '../../../plugin/stores/s3/states/state.ts'
import { until } from '../../helper.ts'
import { append, bytesOf, MIB, type Rig, SEGMENT, skip, startRig, STATE } from './rig.ts'

const segmentSize = 5 * MIB

async function stateOf ({ states }: Rig): Promise<VersionedState> {
  return await states.find('a')
}

t.test('a small body is one request', { skip }, async (t) => {
  const { open, proxy, states } = await startRig(t)
  const store = open()
  await store.create({ id: 'a', size: 10, offset: 0 })
  proxy.log.length = 0
  await append(store, 'a', Buffer.from('abc'))
  t.same(proxy.log.map(({ method, path }) => [method, path.endsWith('/state')]), [
    ['GET', true], ['PUT', true], ['GET', true]
  ])
  proxy.log.length = 0
  const upload = await store.getUpload('a', { offset: 3 })
  const appending = await store.openAppend(upload)
  await appending.write([Buffer.from('defg')], 4)
  await appending.commit()
  t.same(proxy.log.map(({ method }) => method), ['PUT'], 'the cached state is not read again')
  t.equal((await states.find('a')).tail.toString(), 'abcdefg')
})

t.test('several segments are sent at once, and at most four', { skip }, async (t) => {
  const { open, proxy } = await startRig(t, { segmentSize })
  const store = open()
  const content = randomBytes(6 * segmentSize)
  await store.create({ id: 'a', size: content.length, offset: 0 })
  const appending = await store.openAppend(await store.getUpload('a'))
  proxy.add({ method: 'PUT', url: SEGMENT, fault: 'stall-before' })
  const sent: Array<Promise<void>> = []
  for (let i = 0; i < 3; i++) {
    await appending.write([content.subarray(i * segmentSize, (i + 1) * segmentSize)], segmentSize)
  }
  sent.push(appending.write([content.subarray(3 * segmentSize, 4 * segmentSize)], segmentSize))
  await until(() => proxy.count({ method: 'PUT', url: SEGMENT }) === 4)
  proxy.clear()
  proxy.release()
  await Promise.all(sent)
  for (let i = 4; i < 6; i++) {
    await appending.write([content.subarray(i * segmentSize, (i + 1) * segmentSize)], segmentSize)
  }
  t.equal(await appending.commit(), content.length)
  t.ok(content.equals(await bytesOf(store, 'a')))
})

t.test('a long body is committed about once a second, its tail in the state', { skip }, async (t) => {
  const rig = await startRig(t, { segmentSize })
  const { open, proxy } = rig
  const store = open()
  await store.create({ id: 'a', size: 20, offset: 0 })
  const appending = await store.openAppend(await store.getUpload('a'))
  await appending.write([Buffer.from('abc')], 3)
  t.equal(appending.stored, 0)
  await until(() => appending.stored === 3)
  t.match(await stateOf(rig), { upload: { offset: 3 }, segments: [], tail: Buffer.from('abc') })
  await appending.write([Buffer.from('def')], 3)
  await until(() => appending.stored === 6)
  t.equal(await appending.commit(), 6)
  t.match(await stateOf(rig), { upload: { offset: 6 }, appending: undefined })
  t.equal(proxy.count({ method: 'PUT', url: SEGMENT }), 0)
})

t.test('bytes that wait are sent although they are no full segment', { skip }, async (t) => {
  const rig = await startRig(t)
  const store = rig.open()
  const content = randomBytes(400_000)
  await store.create({ id: 'a', size: 2 * content.length, offset: 0 })
  const appending = await store.openAppend(await store.getUpload('a'))
  await appending.write([content], content.length)
  await until(() => appending.stored === content.length)
  t.match(await stateOf(rig), { segments: [{ bytes: content.length }], tail: Buffer.alloc(0) })
  await appending.commit()
})

t.test('a body of unknown validity writes no state', { skip }, async (t) => {
  const rig = await startRig(t)
  const { open, proxy } = rig
  const store = open()
  const content = randomBytes(400_000)
  await store.create({ id: 'a', size: 2 * content.length, offset: 0 })
  const appending = await store.openAppend(await store.getUpload('a'), { unverified: true })
  const before = proxy.count({ method: 'PUT', url: STATE })
  await appending.write([content], content.length)
  await until(() => proxy.log.some(({ path, status }) => SEGMENT.test(path) && status === 200))
  t.equal(proxy.count({ method: 'PUT', url: STATE }), before)
  t.equal(appending.stored, 0)
  t.ok(content.equals(await buffer(Readable.from(appending.readBack()))), 'it is read back from its segment')
  t.equal(await appending.rollback(), 0)
  await store.close()
  t.same(await rig.keys('.tus/'), ['.tus/a/state'])
})

t.test('a body is read back from its first byte, not from that of the upload', { skip }, async (t) => {
  const { open, proxy } = await startRig(t, { segmentSize })
  const store = open()
  await store.create({ id: 'a', offset: 0 })
  await append(store, 'a', randomBytes(segmentSize), Buffer.from('tail'))
  for (const size of [3, 300_000, 2 * segmentSize + 5]) {
    const content = randomBytes(size)
    const appending = await store.openAppend(await store.getUpload('a'), { unverified: true })
    await appending.write([content.subarray(0, 2), content.subarray(2)], size)
    t.ok(content.equals(await buffer(Readable.from(appending.readBack()))))
    await appending.commit()
  }
  proxy.add({ method: 'PUT', url: SEGMENT, fault: 500 })
  const appending = await store.openAppend(await store.getUpload('a'), { unverified: true })
  await appending.write([randomBytes(segmentSize)], segmentSize)
  await t.rejects(buffer(Readable.from(appending.readBack())), { code: 'FST_TUS_STORE_UNAVAILABLE' })
  await appending.rollback()
})

t.test('a rollback also reverts a checkpoint', { skip }, async (t) => {
  const rig = await startRig(t, { segmentSize })
  const store = rig.open()
  await store.create({ id: 'a', size: 4 * segmentSize, offset: 0 })
  await append(store, 'a', Buffer.from('abc'))
  const appending = await store.openAppend(await store.getUpload('a'))
  await appending.write([randomBytes(segmentSize)], segmentSize)
  await until(() => appending.stored > 3)
  t.equal(await appending.rollback(), 3)
  t.match(await stateOf(rig), { upload: { offset: 3 }, segments: [], tail: Buffer.from('abc'), appending: undefined })
  await store.close()
  t.same(await rig.keys('.tus/'), ['.tus/a/state'])
})

t.test('many small bodies are joined', { skip }, async (t) => {
  const rig = await startRig(t, { segmentSize })
  const { open, proxy, keys } = rig
  const content = randomBytes(12 * MIB)
  const store = open()
  await store.create({ id: 'a', size: content.length, offset: 0 })
  for (let start = 0; start < content.length; start += MIB) {
    await append(start % (2 * MIB) === 0 ? store : open(), 'a', content.subarray(start, start + MIB))
    await store.close()
  }
  const { segments } = await stateOf(rig)
  t.same(segments.map(({ bytes }) => bytes), [5 * MIB, 5 * MIB, MIB, MIB])
  await store.close()
  await until(async () => (await keys('.tus/a/')).length === 5)
  t.ok(content.equals(await bytesOf(open(), 'a')))
  t.ok(proxy.count() > 0)
})

t.test('the segments of a slow body are joined while it lasts', { skip }, async (t) => {
  const rig = await startRig(t, { segmentSize, memory: 1 })
  const store = rig.open()
  const content = randomBytes(11 * MIB)
  await store.create({ id: 'a', size: 2 * content.length, offset: 0 })
  await append(store, 'a', content.subarray(0, MIB))
  const appending = await store.openAppend(await store.getUpload('a'))
  for (let start = MIB; start < 6 * MIB; start += MIB / 2) {
    await appending.write([content.subarray(start, start + MIB / 2)], MIB / 2)
  }
  await until(() => appending.stored === 6 * MIB)
  t.same((await stateOf(rig)).segments.map(({ bytes }) => bytes), [MIB, 5 * MIB])
  for (let start = 6 * MIB; start < 11 * MIB; start += MIB / 2) {
    await appending.write([content.subarray(start, start + MIB / 2)], MIB / 2)
  }
  await until(() => appending.stored === 11 * MIB)
  t.equal(await appending.commit(), 11 * MIB)
  t.same((await stateOf(rig)).segments.map(({ bytes }) => bytes), [MIB, 5 * MIB, 5 * MIB])
  t.ok(content.equals(await bytesOf(rig.open(), 'a')))
})

t.test('silent clients that hold all of the memory do not stop others', { skip }, async (t) => {
  const { open } = await startRig(t, { memory: 1000 })
  const store = open()
  const before = open()
  const opened = []
  for (const id of ['a', 'b', 'c']) {
    await store.create({ id, size: 2000, offset: 0 })
    await append(before, id, randomBytes(600))
    // Its tail is in memory, and nothing more arrives.
    opened.push(await store.openAppend(await store.getUpload(id)))
  }
  const content = randomBytes(5000)
  await store.create({ id: 'd', size: content.length, offset: 0 })
  await append(store, 'd', ...[0, 1000, 2000, 3000, 4000].map((start) => content.subarray(start, start + 1000)))
  t.ok(content.equals(await bytesOf(store, 'd')))
  for (const appending of opened) await appending.abandon()
})
