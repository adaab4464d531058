import t from 'tap'
import { append, bytesOf, skip, startRig, STATE } from './rig.ts'

t.test('a commit whose response is lost is recognized', { skip }, async (t) => {
  for (const fault of ['reset-after', 'reset-before'] as const) {
    const { open, proxy } = await startRig(t)
    const store = open({ retryTime: 60_000 })
    await store.create({ id: 'a', size: 6, offset: 0 })
    proxy.add({ method: 'PUT', url: STATE, nth: (n) => n <= 2, fault })
    t.match(await append(store, 'a', Buffer.from('abc')), { offset: 3 })
    t.match(await append(store, 'a', Buffer.from('def')), { offset: 6 })
    t.equal((await bytesOf(open(), 'a')).toString(), 'abcdef', fault)
  }
})

t.test('a creation whose response is lost is recognized', { skip }, async (t) => {
  const { open, proxy } = await startRig(t)
  const store = open()
  proxy.add({ method: 'PUT', url: STATE, nth: 1, fault: 'reset-after' })
  await store.create({ id: 'a', size: 6, offset: 0 })
  t.match(await append(store, 'a', Buffer.from('abc')), { offset: 3 })
})

t.test('a commit that is lost while another process writes is a displacement', { skip }, async (t) => {
  const { open, proxy } = await startRig(t)
  const [store, other] = [open(), open()]
  await store.create({ id: 'a', size: 6, offset: 0 })
  const appending = await store.openAppend(await store.getUpload('a'))
  await appending.write([Buffer.from('xyz')], 3)
  await append(other, 'a', Buffer.from('abc'))
  proxy.add({ method: 'PUT', url: STATE, nth: 1, fault: 'reset-before' })
  await t.rejects(appending.commit(), { code: 'FST_TUS_DISPLACED' })
  const unavailable = await store.openAppend(await store.getUpload('a'))
  await unavailable.write([Buffer.from('def')], 3)
  proxy.clear()
  proxy.add({ method: 'PUT', url: STATE, nth: 1, fault: 503 })
  await t.rejects(unavailable.commit(), { code: 'FST_TUS_STORE_UNAVAILABLE' }, 'but not if nothing has changed')
})

t.test('a state that cannot be written is an error, whether it can be read or not', { skip }, async (t) => {
  const { open, proxy } = await startRig(t)
  const store = open()
  proxy.add({ method: 'PUT', url: STATE, fault: 503 })
  const expected = { code: 'FST_TUS_STORE_UNAVAILABLE', cause: { name: 'SlowDown' } }
  await t.rejects(store.create({ id: 'a', offset: 0 }), expected)
  proxy.clear()
  proxy.add({ url: STATE, fault: 503 })
  await t.rejects(store.create({ id: 'a', offset: 0 }), { code: 'FST_TUS_STORE_UNAVAILABLE' })
  proxy.clear()
  await store.create({ id: 'a', offset: 0 })
})

t.test('a creation in two processes at once has one winner', { skip }, async (t) => {
  const { open } = await startRig(t)
  const created = await Promise.allSettled([1, 2, 3, 4].map((size) => open().create({ id: 'a', size, offset: 0 })))
  t.equal(created.filter(({ status }) => status === 'fulfilled').length, 1)
  for (const result of created) if (result.status === 'rejected') t.equal(result.reason.code, 'FST_TUS_EXISTS')
})

t.test('facts are recorded while another process writes', { skip }, async (t) => {
  const { open, proxy } = await startRig(t)
  const [store, other] = [open(), open()]
  const upload = await store.create({ id: 'a', size: 6, offset: 0 })
  await append(other, 'a', Buffer.from('abc'))
  await store.update(upload, { finished: true })
  t.match(await other.getUpload('a'), { offset: 3, finished: true }, 'from an outdated cache')

  const appending = await other.openAppend(await other.getUpload('a'))
  await appending.write([Buffer.from('def')], 3)
  await store.update(upload, { refused: true })
  await t.rejects(appending.commit(), { code: 'FST_TUS_DISPLACED' })
  t.match(await other.getUpload('a'), { offset: 3, refused: true })

  proxy.add({ method: 'PUT', url: STATE, fault: 412 })
  await t.rejects(store.update(upload, { refused: false }), { code: 'FST_TUS_STORE_UNAVAILABLE' }, 'it gives up')
})

t.test('an append, a rollback and an assembly keep what another process records meanwhile', { skip }, async (t) => {
  const { open, proxy } = await startRig(t)
  const [store, other] = [open(), open()]
  const created = await store.create({ id: 'a', size: 6, offset: 0 })
  const appending = await store.openAppend(created)
  await appending.write([Buffer.from('abc')], 3)
  await other.update(created, { finished: true })
  t.equal(await appending.commit(), 3)
  t.match(await open().getUpload('a'), { offset: 3, finished: true })

  const appended = await store.getUpload('a')
  const rolledBack = await store.openAppend(appended)
  await rolledBack.write([Buffer.from('xyz')], 3)
  await rolledBack.commit({ complete: false })
  await other.update(created, { finished: false })
  t.equal(await rolledBack.rollback(), 3)
  t.match(await open().getUpload('a'), { offset: 3, complete: undefined, finished: false })

  const complete = await append(store, 'a', Buffer.from('def'))
  await other.update(created, { finished: true })
  await store.sync(complete)
  t.match(await open().getUpload('a'), { offset: 6, finished: true })
  t.equal((await bytesOf(open(), 'a')).toString(), 'abcdef')

  await store.create({ id: 'b', size: 6, offset: 0 })
  const unlucky = await store.openAppend(await store.getUpload('b'))
  await unlucky.write([Buffer.from('abc')], 3)
  proxy.add({ method: 'PUT', url: STATE, fault: 412 })
  await t.rejects(unlucky.commit(), { code: 'FST_TUS_STORE_UNAVAILABLE' }, 'it gives up')
})

t.test('facts about an upload that is gone are dropped, also by another process', { skip }, async (t) => {
  const { open } = await startRig(t)
  const [store, other] = [open(), open()]
  const upload = await store.create({ id: 'a', size: 6, offset: 0, creation_date: '2026-01-01T00:00:00.000Z' })
  await other.remove('a')
  await store.update(upload, { finished: true })
  await t.rejects(open().getUpload('a'), { code: 'FST_TUS_NOT_FOUND' })

  await other.create({ id: 'a', size: 3, offset: 0, creation_date: '2026-01-02T00:00:00.000Z' })
  await store.update(upload, { finished: true })
  t.match(await store.getUpload('a'), { size: 3, finished: false }, 'the id is used again')
  await other.update(upload, { finished: true })
  t.match(await store.getUpload('a'), { size: 3, finished: false })
})

t.test('ids that no upload can have are not found', { skip }, async (t) => {
  const { open } = await startRig(t)
  const store = open()
  for (const id of ['.tus', '../a', '', 'a/b']) {
    await t.rejects(store.getUpload(id), { code: 'FST_TUS_NOT_FOUND' })
    await t.rejects(store.read(id), { code: 'FST_TUS_NOT_FOUND' })
    await t.rejects(store.remove(id), { code: 'FST_TUS_NOT_FOUND' })
  }
})

t.test('an object of the user is not overwritten', { skip }, async (t) => {
  const { open, bucket } = await startRig(t)
  await bucket.put('a', Buffer.from('mine'))
  await t.rejects(open().create({ id: 'a', offset: 0 }), { code: 'FST_TUS_EXISTS' })
  const store = open()
  await store.create({ id: 'b', size: 3, offset: 0 })
  await bucket.put('b', Buffer.from('mine'))
  const upload = await append(store, 'b', Buffer.from('abc'))
  await t.rejects(store.sync(upload))
  await store.remove('b')
  t.equal((await bucket.getBytes('b'))?.bytes.toString(), 'mine', 'not even by a deletion')
})

t.test('a state of an unknown version is an error', { skip }, async (t) => {
  const { open, bucket } = await startRig(t)
  const json = Buffer.from('{"version":2,"segments":[]}')
  await bucket.put('.tus/a/state', Buffer.concat([Buffer.from([0, 0, 0, json.length]), json]))
  await t.rejects(open().getUpload('a'), { message: 'Unknown version of the state of an upload: 2' })
})
