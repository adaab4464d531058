import { randomBytes } from 'node:crypto'
import t from 'tap'
import { until } from '../../helper.ts'
import { append, bytesOf, MIB, type Rig, SEGMENT, skip, startRig } from './rig.ts'

const segmentSize = 5 * MIB

/** Stores bodies of the given lengths, so that the upload is complete. */
async function complete ({ open }: Rig, id: string, ...lengths: number[]): Promise<Buffer> {
  const store = open()
  const bodies = lengths.map((length) => randomBytes(length))
  const content = Buffer.concat(bodies)
  await store.create({ id, size: content.length, offset: 0 })
  for (const body of bodies) await append(store, id, body)
  await store.close()
  return content
}

async function sync (rig: Rig, id = 'a'): Promise<void> {
  const store = rig.open()
  try {
    await store.sync(await store.getUpload(id))
  } finally {
    await store.close()
  }
}

const shapes: Record<string, number[]> = {
  'no bytes': [0],
  'a tail': [1000],
  'one segment': [segmentSize],
  'many segments': [2 * segmentSize, 3 * segmentSize],
  'small segments': [300_000, 400_000, 300_000],
  'a tail after large segments': [2 * segmentSize, 1000],
  'small segments between large ones': [segmentSize, MIB, 2 * MIB, segmentSize, 300_000, 6 * MIB, MIB, 100]
}

for (const [shape, lengths] of Object.entries(shapes)) {
  t.test(`an upload of ${shape} becomes an object`, { skip }, async (t) => {
    const rig = await startRig(t, { segmentSize })
    const content = await complete(rig, 'a', ...lengths)
    await sync(rig)
    await sync(rig)
    t.same((await rig.keys()).slice(1), ['.tus/a/state', 'a'], 'only a marker is left besides')
    t.ok(content.equals((await rig.bucket.getBytes('a'))?.bytes ?? Buffer.alloc(1)))
    t.ok(content.equals(await bytesOf(rig.open(), 'a')))
  })
}

t.test('the bytes of large segments do not come back', { skip }, async (t) => {
  const rig = await startRig(t, { segmentSize })
  await complete(rig, 'a', 4 * segmentSize)
  rig.proxy.log.length = 0
  await sync(rig)
  t.equal(rig.proxy.log.filter(({ method, path }) => method === 'GET' && SEGMENT.test(path)).length, 0)
})

for (const [shape, lengths] of [['small', [1000]], ['large', [segmentSize, 4_000_000]]] as const) {
  t.test(`finished but no object: a ${shape} assembly is repeated after a crash at any request`, { skip },
    async (t) => {
      for (let n = 1; ; n++) {
        const rig = await startRig(t, { segmentSize })
        const content = await complete(rig, 'a', ...lengths)
        rig.proxy.log.length = 0
        // From the n-th request on, nothing arrives.
        let requests = 0
        rig.proxy.add({ nth: () => ++requests >= n, fault: 'reset-before' })
        const isWhole = await sync(rig).then(() => true, () => false)
        rig.proxy.clear()
        const { states } = rig
        const isFinished = (await states.find('a')).phase === 'object'
        if (isFinished) t.ok(content.equals((await rig.bucket.getBytes('a'))?.bytes ?? Buffer.alloc(0)), `object ${n}`)
        await sync(rig)
        t.ok(content.equals((await rig.bucket.getBytes('a'))?.bytes ?? Buffer.alloc(0)), `request ${n}`)
        t.equal((await states.find('a')).phase, 'object')
        if (isWhole) break
      }
    })

  t.test(`a ${shape} assembly succeeds if any response is lost`, { skip }, async (t) => {
    for (let n = 1; ; n++) {
      const rig = await startRig(t, { segmentSize })
      const content = await complete(rig, 'a', ...lengths)
      rig.proxy.log.length = 0
      let requests = 0
      rig.proxy.add({ nth: () => ++requests === n, fault: 'reset-after' })
      await sync(rig).catch(() => {})
      rig.proxy.clear()
      await sync(rig)
      t.ok(content.equals((await rig.bucket.getBytes('a'))?.bytes ?? Buffer.alloc(0)), `request ${n}`)
      if (requests < n) break
    }
  })
}

t.test('a Complete that has succeeded although its repetition fails counts', { skip }, async (t) => {
  for (const fault of [404, 412]) {
    const rig = await startRig(t, { segmentSize })
    const content = await complete(rig, 'a', 2 * segmentSize)
    const complete1 = /uploadId=/
    rig.proxy.add({ method: 'POST', url: complete1, nth: 1, fault: 'reset-after' })
    rig.proxy.add({ method: 'POST', url: complete1, fault })
    const store = rig.open({ retryTime: 60_000 })
    await store.sync(await store.getUpload('a'))
    t.ok(rig.proxy.count({ method: 'POST', url: complete1 }) >= 2)
    t.ok(content.equals(await bytesOf(rig.open(), 'a')))
    await store.close()
  }
})

t.test('a failed assembly is reported, also if it is unknown whether the object exists', { skip }, async (t) => {
  const rig = await startRig(t)
  await complete(rig, 'a', 1000)
  rig.proxy.add({ method: 'PUT', url: /\/a(\?|$)/, fault: 503 })
  await t.rejects(sync(rig), { code: 'FST_TUS_STORE_UNAVAILABLE' })
  rig.proxy.add({ method: 'HEAD', fault: 500 })
  await t.rejects(sync(rig), { code: 'FST_TUS_STORE_UNAVAILABLE', cause: { name: 'SlowDown' } })
  rig.proxy.clear()
  await sync(rig)
})

t.test('a multipart upload that the state does not name is aborted', { skip }, async (t) => {
  const rig = await startRig(t, { segmentSize })
  await complete(rig, 'a', 2 * segmentSize)
  const [store, other] = [rig.open(), rig.open()]
  const upload = await store.getUpload('a')
  await other.update(upload, { refused: true })
  rig.proxy.add({ method: 'DELETE', url: /uploadId=/, nth: 1, fault: 'reset-after' })
  await t.rejects(store.sync(upload), { code: 'FST_TUS_DISPLACED' })
  t.equal(rig.proxy.count({ method: 'DELETE', url: /uploadId=/ }), 1)
  await store.sync(upload)
})

t.test('two processes may assemble at the same time', { skip }, async (t) => {
  for (const length of [1000, 2 * segmentSize]) {
    const rig = await startRig(t, { segmentSize })
    const content = await complete(rig, 'a', length)
    await Promise.allSettled([sync(rig), sync(rig), sync(rig)])
    await sync(rig)
    t.ok(content.equals(await bytesOf(rig.open(), 'a')))
    t.same((await rig.keys()).slice(1), ['.tus/a/state', 'a'])
  }
})

t.test('what another process has assembled is noticed', { skip }, async (t) => {
  const rig = await startRig(t, { segmentSize })
  const store = rig.open()
  const content = randomBytes(7 * MIB)
  await store.create({ id: 'a', size: content.length, offset: 0 })
  const upload = await append(store, 'a', content)
  await sync(rig)
  await t.rejects(store.sync(upload), { code: 'FST_TUS_DISPLACED' }, 'its segments are gone')
  await store.sync(upload)
  t.ok(content.equals(await bytesOf(store, 'a')))
})

t.test('an object whose upload is deleted meanwhile is deleted, too', { skip }, async (t) => {
  const rig = await startRig(t)
  await complete(rig, 'a', 1000)
  const [store, other] = [rig.open(), rig.open()]
  const upload = await store.getUpload('a')
  rig.proxy.add({ method: 'PUT', url: /\/a(\?|$)/, nth: 1, fault: 'stall-before' })
  const synced = t.rejects(store.sync(upload), { code: 'FST_TUS_NOT_FOUND' })
  await until(() => rig.proxy.log.some(({ fault }) => fault !== undefined))
  await other.remove('a')
  await other.close()
  rig.proxy.release()
  await synced
  t.same(await rig.keys(), [])
})

t.test('the object has the properties of the upload and of the app', { skip }, async (t) => {
  const rig = await startRig(t)
  const store = rig.open({
    prefix: 'some/where/',
    objectProperties: ({ id }) => ({ CacheControl: `private, x=${id}`, Metadata: { by: 'app' } })
  })
  const metadata = { filename: 'résumé.mp4', filetype: 'video/mp4' }
  t.match(await store.create({ id: 'a', size: 3, offset: 0, metadata }), {
    storage: { type: 's3', path: 'some/where/a', bucket: rig.bucketName }
  })
  await store.sync(await append(store, 'a', Buffer.from('abc')))
  const { metadata: found } = await rig.bucket.head('some/where/a') ?? {}
  t.match(found, { by: 'app', 'tus-upload': String })
  const { headers } = rig.proxy.log.find(({ method, path }) => method === 'PUT' && path.endsWith('/a')) ?? {}
  t.match(headers, { 'content-type': 'video/mp4', 'cache-control': 'private, x=a' })
  t.match(headers?.['content-disposition'], /^inline; filename=.*r%C3%A9sum%C3%A9/)
})
