import { randomBytes } from 'node:crypto'
import t from 'tap'
import type { S3Store } from '../../../plugin/stores/s3/index.ts'
import type { Upload } from '../../../plugin/types.ts'
import { until } from '../../helper.ts'
import { append, bytesOf, MIB, skip, startRig } from './rig.ts'

const segmentSize = 5 * MIB

async function partsOf (store: S3Store, lengths: number[]): Promise<{ parts: Upload[], contents: Buffer[] }> {
  const parts = []
  const contents = []
  for (const [i, length] of lengths.entries()) {
    const content = randomBytes(length)
    const upload = await store.create({ id: `p${i}`, size: length, offset: 0, concatenation: { header: 'partial' } })
    parts.push(length === 0 ? upload : await append(store, `p${i}`, content))
    contents.push(content)
  }
  return { parts, contents }
}

async function createFinal (store: S3Store, parts: Upload[], id = 'final'): Promise<Upload> {
  const references = parts.map(({ id }) => ({ id }))
  const concatenation = { header: 'final;', parts: references }
  return await store.create({ id, size: 0, offset: 0, complete: false, concatenation })
}

const shapes: Record<string, { lengths: number[], order: number[] }> = {
  'large parts': { lengths: [5 * MIB, 6 * MIB, 5 * MIB], order: [0, 1, 2] },
  'small parts': { lengths: [100, 200, 300], order: [2, 1, 0] },
  'parts below 5 MiB between large ones': { lengths: [10 * MIB, MIB, 10 * MIB, 4 * MIB, 100], order: [0, 1, 2, 3, 4] },
  'the same part twice': { lengths: [6 * MIB, 1000], order: [0, 1, 0, 1, 1] },
  'empty parts': { lengths: [0, 6 * MIB, 0, 6 * MIB, 0], order: [0, 1, 2, 3, 4] },
  'only empty parts': { lengths: [0, 0], order: [0, 1] }
}

for (const [shape, { lengths, order }] of Object.entries(shapes)) {
  t.test(`a final upload is made of ${shape}`, { skip }, async (t) => {
    const rig = await startRig(t, { segmentSize })
    const store = rig.open()
    const { parts, contents } = await partsOf(store, lengths)
    const inOrder = order.map((i) => parts[i] as Upload)
    const expected = Buffer.concat(order.map((i) => contents[i] as Buffer))
    const final = await createFinal(store, inOrder)
    t.match(await store.concatenate(final, inOrder), { offset: expected.length, complete: true })
    t.match(await store.concatenate(final, inOrder), { offset: expected.length }, 'again')
    t.ok(expected.equals(await bytesOf(rig.open(), 'final')))
    t.ok(expected.equals((await rig.bucket.getBytes('final'))?.bytes ?? Buffer.alloc(1)))
    t.ok((contents[0] as Buffer).equals(await bytesOf(rig.open(), 'p0')), 'the parts remain')
    await store.close()
  })
}

t.test('the bytes of large parts do not come back', { skip }, async (t) => {
  const rig = await startRig(t, { segmentSize })
  const store = rig.open()
  const { parts } = await partsOf(store, [10 * MIB, 10 * MIB])
  for (const part of parts) {
    await store.sync(part)
    await store.update(part, { finished: true })
  }
  const final = await createFinal(store, parts)
  const finished = await Promise.all(parts.map(({ id }) => store.getUpload(id)))
  rig.proxy.log.length = 0
  await store.concatenate(final, finished)
  t.same(rig.proxy.log.filter(({ method }) => method === 'GET').map(({ path }) => path.split('/').slice(2).join('/')), [
    '.tus/final/state'
  ])
})

t.test('a concatenation is repeated after a crash at any request', { skip }, async (t) => {
  const rig = await startRig(t, { segmentSize })
  const store = rig.open()
  const { parts, contents } = await partsOf(store, [5 * MIB, 1000, 5 * MIB])
  for (const part of parts) await store.sync(part)
  for (let n = 1; ; n++) {
    const id = `final-${n}`
    const final = await createFinal(store, parts, id)
    let requests = 0
    rig.proxy.add({ nth: () => ++requests >= n, fault: 'reset-before' })
    const isDone = await rig.open().concatenate(final, parts).then(() => true, () => false)
    rig.proxy.clear()
    const other = rig.open()
    await other.concatenate(await other.getUpload(id), parts)
    t.ok(Buffer.concat(contents).equals(await bytesOf(rig.open(), id)), `request ${n}`)
    if (isDone) break
  }
})

t.test('a concatenation ends with its signal', { skip }, async (t) => {
  const rig = await startRig(t, { segmentSize })
  const store = rig.open()
  const { parts, contents } = await partsOf(store, [5 * MIB, 5 * MIB])
  const final = await createFinal(store, parts)
  const reason = new Error('shutdown')
  await t.rejects(store.concatenate(final, parts, AbortSignal.abort(reason)), reason)
  t.notOk((await store.getUpload('final')).complete)
  await store.concatenate(await store.getUpload('final'), parts)
  t.ok(Buffer.concat(contents).equals(await bytesOf(rig.open(), 'final')))
})

t.test('after a failed part, no other request follows, and the next attempt starts again', { skip }, async (t) => {
  const rig = await startRig(t, { segmentSize })
  const store = rig.open()
  const { parts, contents } = await partsOf(store, [5 * MIB])
  await store.sync(parts[0] as Upload)
  const inOrder = Array.from({ length: 12 }, () => parts[0] as Upload)
  const final = await createFinal(store, inOrder)
  const copies = /partNumber=/
  rig.proxy.add({ method: 'PUT', url: copies, nth: 1, fault: 500 })
  rig.proxy.add({ method: 'PUT', url: copies, fault: 'stall-before' })
  const failed = t.rejects(store.concatenate(final, inOrder), { code: 'FST_TUS_STORE_UNAVAILABLE' })
  await until(() => rig.proxy.count({ url: copies }) === 8)
  await until(() => rig.proxy.log.some(({ status }) => status === 500))
  rig.proxy.clear()
  rig.proxy.release()
  await failed
  t.equal(rig.proxy.count({ url: copies }), 8)
  await store.concatenate(await store.getUpload('final'), inOrder)
  t.equal(rig.proxy.count({ method: 'DELETE', url: /uploadId=/ }), 1, 'the first multipart upload is aborted')
  t.ok(Buffer.concat(inOrder.map(() => contents[0] as Buffer)).equals(await bytesOf(rig.open(), 'final')))
})
