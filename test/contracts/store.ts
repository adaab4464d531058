/**
 * The contract of stores, as tests. `DataStore` in `plugin/types.ts` states it in words; `docs/reference/stores.md`
 * explains it for authors of stores. A test runs if the store has the capability that it needs.
 */
import { randomBytes } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import t from 'tap'
import type { Test } from 'tap'
import type { Capability, DataStore, Upload } from '../../plugin/index.ts'
import { StoreAdapter } from '../../plugin/stores/adapter.ts'
import { isComplete } from '../../plugin/uploads/state.ts'

/** The place in which a store under test keeps its uploads. */
export interface Engine {
  /** Opens the store. Called again, it opens the same uploads as another process would. */
  open (): DataStore | Promise<DataStore>
}

export interface StoreContractOptions {
  /** Starts an engine without uploads, for one test. */
  start: (t: Test) => Engine | Promise<Engine>
  /** The capabilities of the store: it must declare them, and the tests that need them run. */
  capabilities: Capability[]
  /** Whether uploads persist if the store is opened again. Default `true`. */
  persists?: boolean
  /** Names of the tests that a store is known to fail. Only for third-party stores. */
  fails?: string[]
  /** Why the tests are skipped; `false` if they are not. */
  skip?: string | false
}

interface Rig {
  store: StoreAdapter
  /** The store as another process sees it after this one has died. */
  reopen (): Promise<StoreAdapter>
}

const created = '2026-01-02T03:04:05.678Z'
const bytesOf = (...texts: string[]) => texts.map((text) => Buffer.from(text))

async function append (store: StoreAdapter, id: string, ...texts: string[]): Promise<Upload> {
  const appending = await store.openAppend(await store.getUpload(id), {})
  for (const text of texts) await appending.write(bytesOf(text), text.length)
  await appending.commit({})
  return await store.getUpload(id)
}

async function textOf (store: StoreAdapter, id: string, range?: { start: number, end: number }): Promise<string> {
  return (await buffer(await store.read(id, range))).toString()
}

/** Runs the contract against a store. */
export function storeContract (name: string, options: StoreContractOptions): void {
  const { start, capabilities, persists = true, fails = [], skip = false } = options
  const check = (title: string, needs: Capability[], run: (t: Test, rig: Rig) => Promise<void>) => {
    const isApplicable = needs.every((capability) => capabilities.includes(capability)) && !fails.includes(title)
    if (!isApplicable) return
    t.test(`${name}: ${title}`, { skip }, async (t) => {
      const engine = await start(t)
      const store = new StoreAdapter(await engine.open())
      await run(t, { store, reopen: async () => persists ? new StoreAdapter(await engine.open()) : store })
    })
  }

  check('the store declares its capabilities', [], async (t, { store }) => {
    t.same([...store.capabilities].sort(), [...capabilities].sort())
  })

  check('a created upload is read as it was created', ['creation'], async (t, { store, reopen }) => {
    const metadata = { filename: 'résumé 日本語.mp4', empty: null, blank: '' }
    await store.create({ id: 'a', size: 2 ** 40, offset: 0, metadata, creation_date: created })
    for (const seen of [store, await reopen()]) {
      const upload = await seen.getUpload('a')
      t.match(upload, { id: 'a', size: 2 ** 40, offset: 0, metadata, creation_date: created })
      t.notOk(isComplete(upload))
    }
  })

  check('an id is never overwritten', ['creation'], async (t, { store, reopen }) => {
    await store.create({ id: 'a', size: 6, offset: 0 })
    await append(store, 'a', 'abc')
    for (const other of [store, await reopen()]) {
      await t.rejects(other.create({ id: 'a', size: 1, offset: 0 }), { code: 'FST_TUS_EXISTS' })
    }
    t.match(await store.getUpload('a'), { size: 6, offset: 3 })
  })

  check('a missing upload is reported as not found', [], async (t, { store }) => {
    await t.rejects(store.getUpload('a'), { code: 'FST_TUS_NOT_FOUND' })
  })

  check('appends follow each other', ['creation'], async (t, { store, reopen }) => {
    await store.create({ id: 'a', size: 9, offset: 0 })
    t.match(await append(store, 'a', 'a', 'bc'), { offset: 3 })
    t.match(await append(await reopen(), 'a', 'def'), { offset: 6 })
    const upload = await append(store, 'a', 'ghi')
    t.match(upload, { offset: 9, size: 9 })
    t.ok(isComplete(upload))
    if (store.capabilities.has('read')) t.equal(await textOf(await reopen(), 'a'), 'abcdefghi')
  })

  check('a batch is written in order, whatever its buffer sizes', ['creation', 'read'], async (t, { store }) => {
    const pieces = [0, 1, 70_000, 3, 1_500_000].map((length) => randomBytes(length))
    const content = Buffer.concat(pieces)
    await store.create({ id: 'a', size: content.length, offset: 0 })
    const appending = await store.openAppend(await store.getUpload('a'), {})
    await appending.write(pieces, content.length)
    t.equal(await appending.commit({}), content.length)
    t.ok(content.equals(await buffer(await store.read('a'))))
  })

  check('without retainsBuffers, buffers may change once written', ['creation', 'read'], async (t, { store }) => {
    await store.create({ id: 'a', size: 6, offset: 0 })
    const appending = await store.openAppend(await store.getUpload('a'), {})
    for (const text of ['abc', 'def']) {
      const buffers = bytesOf(text)
      await appending.write(buffers, 3)
      if (!store.retainsBuffers) buffers[0]?.fill(0)
    }
    await appending.commit({})
    t.equal(await textOf(store, 'a'), 'abcdef')
  })

  check('an upload of length 0 is complete', ['creation'], async (t, { store }) => {
    await store.create({ id: 'a', size: 0, offset: 0 })
    t.ok(isComplete(await store.getUpload('a')))
    if (store.capabilities.has('read')) t.equal(await textOf(store, 'a'), '')
  })

  check('the bytes of an append survive the end of the process', ['creation'], async (t, { store, reopen }) => {
    await store.create({ id: 'a', size: 9, offset: 0 })
    const appending = await store.openAppend(await store.getUpload('a'), {})
    await appending.write(bytesOf('abc'), 3)
    const { stored } = appending
    t.ok(stored >= 0 && stored <= 3)
    // A store of @tus/server declares nothing: its bytes count when `write` ends.
    if (store.capabilities.has('checksum')) t.ok((await (await reopen()).getUpload('a')).offset >= stored)
    t.equal(await appending.commit({}), 3)
    t.match(await (await reopen()).getUpload('a'), { offset: 3 })
  })

  check('a length may be declared with an append', ['creation', 'deferred-length'], async (t, { store, reopen }) => {
    await store.create({ id: 'a', offset: 0 })
    t.match(await append(store, 'a', 'abc'), { offset: 3, size: undefined })
    const appending = await store.openAppend(await store.getUpload('a'), { size: 3 })
    t.equal(await appending.commit({}), 3)
    const upload = await (await reopen()).getUpload('a')
    t.match(upload, { offset: 3, size: 3 })
    t.ok(isComplete(upload))
  })

  check('a length may be declared at the end of an append', ['creation', 'deferred-length'], async (t, rig) => {
    const { store, reopen } = rig
    await store.create({ id: 'a', offset: 0 })
    const appending = await store.openAppend(await store.getUpload('a'), {})
    await appending.write(bytesOf('abc'), 3)
    t.equal(await appending.commit({ size: 3 }), 3)
    t.match(await (await reopen()).getUpload('a'), { offset: 3, size: 3 })
  })

  check('completion may be declared', ['creation', 'deferred-length', 'updates'], async (t, { store, reopen }) => {
    await store.create({ id: 'a', size: 3, offset: 0, complete: false })
    await append(store, 'a', 'abc')
    t.notOk(isComplete(await (await reopen()).getUpload('a')), 'the length alone does not complete it')
    const appending = await store.openAppend(await store.getUpload('a'), {})
    t.equal(await appending.commit({ complete: true }), 3)
    t.ok(isComplete(await (await reopen()).getUpload('a')))

    await store.create({ id: 'b', offset: 0, complete: false })
    const unknown = await store.openAppend(await store.getUpload('b'), {})
    await unknown.write(bytesOf('ab'), 2)
    t.equal(await unknown.commit({ size: 2, complete: true }), 2)
    const upload = await (await reopen()).getUpload('b')
    t.match(upload, { size: 2, offset: 2 })
    t.ok(isComplete(upload))
  })

  check('an unverified append does not count before it is committed', ['creation', 'checksum'], async (t, rig) => {
    const { store, reopen } = rig
    await store.create({ id: 'a', size: 6, offset: 0 })
    await append(store, 'a', 'ab')
    const dying = await store.openAppend(await store.getUpload('a'), { unverified: true })
    await dying.write(bytesOf('xyz'), 3)
    t.equal(dying.stored, 2)
    const other = await reopen()
    t.match(await other.getUpload('a'), { offset: 2 })
    const appending = await other.openAppend(await other.getUpload('a'), { unverified: true })
    await appending.write(bytesOf('c'), 1)
    await appending.write(bytesOf('d'), 1)
    t.equal(Buffer.concat(await collect(appending.readBack())).toString(), 'cd')
    t.equal(await appending.commit({}), 4)
    await dying.abandon()
    t.match(await append(other, 'a', 'ef'), { offset: 6 })
    if (store.capabilities.has('read')) t.equal(await textOf(other, 'a'), 'abcdef')
  })

  check('the bytes of an append after a verified one survive', ['creation', 'checksum'], async (t, rig) => {
    const { store, reopen } = rig
    await store.create({ id: 'a', size: 9, offset: 0 })
    const verified = await store.openAppend(await store.getUpload('a'), { unverified: true })
    await verified.write(bytesOf('abc'), 3)
    await verified.commit({})
    const appending = await store.openAppend(await store.getUpload('a'), {})
    await appending.write(bytesOf('def'), 3)
    t.ok((await (await reopen()).getUpload('a')).offset >= appending.stored)
    t.equal(await appending.commit({}), 6)
  })

  check('a rollback restores the upload', ['creation', 'checksum'], async (t, { store, reopen }) => {
    await store.create({ id: 'a', size: 6, offset: 0 })
    await append(store, 'a', 'abc')
    for (const unverified of [true, false]) {
      const appending = await store.openAppend(await store.getUpload('a'), { unverified })
      await appending.write(bytesOf('xyz'), 3)
      t.equal(await appending.rollback(), 3)
      t.match(await (await reopen()).getUpload('a'), { offset: 3 })
    }
    t.match(await append(store, 'a', 'def'), { offset: 6 })
    if (store.capabilities.has('read')) t.equal(await textOf(store, 'a'), 'abcdef')
  })

  check('a length counts once its append is committed', ['creation', 'checksum', 'deferred-length'], async (t, rig) => {
    const { store, reopen } = rig
    await store.create({ id: 'a', offset: 0 })
    const appending = await store.openAppend(await store.getUpload('a'), { size: 3, unverified: true })
    await appending.write(bytesOf('abc'), 3)
    t.equal((await (await reopen()).getUpload('a')).size, undefined)
    await appending.rollback()
    t.match(await (await reopen()).getUpload('a'), { offset: 0, size: undefined })
  })

  check('an append may be abandoned', ['creation', 'checksum'], async (t, { store, reopen }) => {
    await store.create({ id: 'a', size: 6, offset: 0 })
    const appending = await store.openAppend(await store.getUpload('a'), {})
    await appending.write(bytesOf('abc'), 3)
    await appending.abandon()
    const other = await reopen()
    const { offset } = await other.getUpload('a')
    t.ok(offset === 0 || offset === 3)
    await append(other, 'a', 'abcdef'.slice(offset))
    if (store.capabilities.has('read')) t.equal(await textOf(other, 'a'), 'abcdef')
  })

  check('an append fails at the commit if another one came in between', ['creation', 'fencing'], async (t, rig) => {
    const { store, reopen } = rig
    await store.create({ id: 'a', size: 6, offset: 0 })
    const first = await store.openAppend(await store.getUpload('a'), {})
    await first.write(bytesOf('xyz'), 3)
    const other = await reopen()
    await append(other, 'a', 'abc')
    await t.rejects(first.commit({}))
    t.match(await append(other, 'a', 'def'), { offset: 6 })
    t.equal(await textOf(other, 'a'), 'abcdef')
  })

  check('a final upload gets the bytes of its parts', ['creation', 'concatenation', 'read'], async (t, rig) => {
    const { store, reopen } = rig
    const parts = []
    for (const [id, text] of [['a', 'abc'], ['b', ''], ['c', 'd']] as const) {
      await store.create({ id, size: text.length, offset: 0, concatenation: { header: 'partial' } })
      parts.push(text === '' ? await store.getUpload(id) : await append(store, id, text))
    }
    const inOrder = [...parts, ...parts.slice(0, 1)]
    const references = inOrder.map(({ id }) => ({ id }))
    const concatenation = { header: 'final;a b c a', parts: references }
    await store.create({ id: 'final', size: 7, offset: 0, complete: false, concatenation })
    t.notOk(isComplete(await (await reopen()).getUpload('final')))
    const joined = await store.concatenate(await store.getUpload('final'), inOrder, new AbortController().signal)
    for (const upload of [joined, await (await reopen()).getUpload('final')]) {
      t.match(upload, { offset: 7, size: 7, concatenation: { parts: references } })
      t.ok(isComplete(upload))
    }
    t.equal(await textOf(await reopen(), 'final'), 'abcdabc')
    t.equal(await textOf(store, 'a'), 'abc', 'the parts remain')
  })

  check('facts about an upload are recorded', ['creation', 'updates'], async (t, { store, reopen }) => {
    const concatenation = { header: 'partial' }
    await store.create({ id: 'a', size: 3, offset: 0, creation_date: created, concatenation })
    t.equal((await store.getUpload('a')).finished, false)
    const waiting = { ...concatenation, waiting: [{ id: 'final', creation_date: created }] }
    await store.update(await store.getUpload('a'), { concatenation: waiting })
    t.same((await (await reopen()).getUpload('a')).concatenation?.waiting, waiting.waiting)
    const upload = await append(store, 'a', 'abc')
    t.same(upload.concatenation?.waiting, waiting.waiting, 'an append keeps them')
    await store.update(upload, { finished: true, refused: true })
    t.match(await (await reopen()).getUpload('a'), { offset: 3, finished: true, refused: true })
    await store.remove('a')
    await store.update(upload, { finished: true })
    await t.rejects(store.getUpload('a'), { code: 'FST_TUS_NOT_FOUND' }, 'an upload that is gone stays gone')
  })

  check('an update completes an upload', ['creation', 'updates'], async (t, { store, reopen }) => {
    await store.create({ id: 'a', size: 3, offset: 0, complete: false })
    const upload = await append(store, 'a', 'abc')
    t.notOk(isComplete(upload))
    await store.update(upload, { complete: true })
    for (const seen of [store, await reopen()]) {
      const updated = await seen.getUpload('a')
      t.match(updated, { offset: 3, size: 3, finished: false })
      t.ok(isComplete(updated))
    }
    if (store.capabilities.has('read')) t.equal(await textOf(store, 'a'), 'abc')
  })

  check('a range is read from its first to its last byte', ['creation', 'read', 'ranges'], async (t, { store }) => {
    await store.create({ id: 'a', size: 6, offset: 0 })
    await append(store, 'a', 'abc', 'def')
    t.equal(await textOf(store, 'a', { start: 1, end: 4 }), 'bcde')
    t.equal(await textOf(store, 'a', { start: 5, end: 5 }), 'f')
    t.equal((await store.readBytes('a', { start: 0, end: 5 })).toString(), 'abcdef')
  })

  check('an unfinished upload is read as far as stored', ['creation', 'read-unfinished'], async (t, { store }) => {
    await store.create({ id: 'a', size: 9, offset: 0 })
    await append(store, 'a', 'abc')
    await append(store, 'a', 'de')
    t.equal(await textOf(store, 'a'), 'abcde')
    if (store.capabilities.has('ranges')) t.equal(await textOf(store, 'a', { start: 2, end: 3 }), 'cd')
  })

  check('reading a missing upload is an error', ['read'], async (t, { store }) => {
    await t.rejects(store.read('a'))
  })

  check('an upload is removed, complete or not', ['creation', 'termination'], async (t, { store, reopen }) => {
    for (const text of ['abc', 'abcdef']) {
      await store.create({ id: 'a', size: 6, offset: 0 })
      await append(store, 'a', text)
      await store.remove('a')
      await t.rejects((await reopen()).getUpload('a'), { code: 'FST_TUS_NOT_FOUND' })
      await t.rejects(store.remove('a'), { code: 'FST_TUS_NOT_FOUND' })
    }
    await store.create({ id: 'a', size: 6, offset: 0 })
    t.match(await store.getUpload('a'), { offset: 0 }, 'its id may be used again')
  })

  check('a sweep finds every upload that may be due', ['creation', 'expiration'], async (t, { store, reopen }) => {
    for (const id of ['a', 'b', 'c']) await store.create({ id, size: 3, offset: 0, creation_date: created })
    await append(store, 'c', 'abc')
    const ids = await collect((await reopen()).due(Date.now()))
    t.ok(['a', 'b', 'c'].every((id) => ids.includes(id)), 'the finish hook of c has not run')
    t.equal(new Set(ids).size, ids.length)
  })

  check('orphans are removed without side effects', ['creation'], async (t, { store, reopen }) => {
    await store.create({ id: 'a', size: 6, offset: 0 })
    await append(store, 'a', 'abc')
    await (await reopen()).removeOrphans()
    t.match(await append(store, 'a', 'def'), { offset: 6 })
  })

  check('many uploads grow concurrently', ['creation', 'read'], async (t, { store }) => {
    const ids = Array.from({ length: 20 }, (_, i) => `upload-${i}`)
    await Promise.all(ids.map(async (id) => {
      await store.create({ id, size: 3 * id.length, offset: 0 })
      await append(store, id, id, id)
      await append(store, id, id)
    }))
    for (const id of ids) t.equal(await textOf(store, id), id.repeat(3))
  })

  check('a store can be used after it was closed', ['creation'], async (t, { store }) => {
    await store.create({ id: 'a', size: 6, offset: 0 })
    await append(store, 'a', 'abc')
    await store.close()
    t.match(await append(store, 'a', 'def'), { offset: 6 })
  })
}

async function collect<T> (items: AsyncIterable<T>): Promise<T[]> {
  const collected = []
  for await (const item of items) collected.push(item)
  return collected
}
