import t from 'tap'
import { StoreAdapter } from '../../plugin/stores/adapter.ts'
import { ForeignStore } from '../foreign-store.ts'

t.test('a missing method is an error of the store and does not crash the process', async (t) => {
  const store = new StoreAdapter(new ForeignStore())
  await t.rejects(store.read('a'), { code: 'FST_TUS_STORE_FAILED', cause: { message: 'The store has no method read' } })
  t.throws(() => store.due(0), { message: 'The store has no method list' })
})

t.test('an append without a rollback in the store is rolled back by the adapter', async (t) => {
  const foreign = new ForeignStore()
  const store = new StoreAdapter(foreign)
  await store.create({ id: 'a', size: 6, offset: 0 })
  const append = await store.openAppend(await store.getUpload('a'), {})
  await append.write([Buffer.from('abc')], 3)
  await append.abandon()
  await t.rejects(append.commit({}), { code: 'FST_TUS_STORE_FAILED' })
})

t.test('a length that is declared twice at the end of an append is passed on once', async (t) => {
  const foreign = new ForeignStore()
  let declared = 0
  const store = new StoreAdapter(foreign)
  await store.create({ id: 'a', offset: 0 })
  foreign.before = (method) => { if (method === 'declareUploadLength') declared++ }
  const append = await store.openAppend(await store.getUpload('a'), { size: 3 })
  await append.write([Buffer.from('abc')], 3)
  t.equal(await append.commit({ size: 3 }), 3)
  t.equal(declared, 1)
})
