import fs from 'node:fs/promises'
import path from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { MemoryLocker } from '../../plugin/locks/memory.ts'
import type { FastifyTusOptions } from '../../plugin/options.ts'
import { resolveOptions } from '../../plugin/settings.ts'
import { AbleStore } from '../../plugin/stores/adapter.ts'
import { FileStore } from '../../plugin/stores/file/file-store.ts'
import type { Upload } from '../../plugin/types.ts'
import { finishUpload } from '../../plugin/uploads/completion.ts'
import { Followers } from '../../plugin/uploads/followers.ts'
import { PendingFinals } from '../../plugin/uploads/pending-finals.ts'
import type { Scope } from '../../plugin/uploads/context.ts'
import { sweep } from '../../plugin/uploads/sweep.ts'
import { SlowBodies } from '../../plugin/uploads/body/min-rate.ts'
import { startSweeping } from '../../plugin/uploads/sweeper.ts'
import { Unfinished } from '../../plugin/uploads/limits/upload-quota.ts'

const HOUR = 3_600_000
const old = new Date(Date.now() - 48 * HOUR)

async function rig (t: Test, options: FastifyTusOptions = {}) {
  const directory = t.testdir()
  const files = new FileStore({ directory })
  const logged: Record<string, unknown>[] = []
  const stream = { write: (line: string) => { logged.push(JSON.parse(line)) } }
  const { log } = Fastify({ logger: { level: 'debug', stream } })
  const shutdown = new AbortController()
  const settings = resolveOptions({ expiration: { period: 24 * HOUR }, ...options })
  const scope: Scope = {
    settings,
    store: new AbleStore(files),
    locker: options.locker ?? new MemoryLocker(),
    log,
    running: new Map(),
    finals: new PendingFinals(async () => {}, log),
    unfinished: new Unfinished(settings),
    unmarked: new Map(),
    openBodies: new Map(),
    slowBodies: new SlowBodies(settings),
    followers: new Followers({
      find: (id) => files.getUpload(id),
      read: async () => Buffer.alloc(0),
      shutdown: shutdown.signal
    }),
    shutdown: shutdown.signal
  }
  /** An upload of 3 bytes, of which some are there, created and last written to two days ago. */
  const add = async (id: string, bytes: string) => {
    await files.create({ id, size: 3, offset: 0, creation_date: old.toISOString() })
    await fs.writeFile(path.join(directory, id), bytes)
    await fs.utimes(path.join(directory, id), old, old)
  }
  return { directory, scope, shutdown, add, logged, files: async () => (await fs.readdir(directory)).sort() }
}

t.test('EXP-07 a sweep deletes unfinished uploads that are due, and tells the hook', async (t) => {
  const expired: Upload[] = []
  const { scope, add, files } = await rig(t, { onUploadExpire: (upload) => { expired.push(upload) } })
  await add('due', 'ab')
  await add('finished', 'abc')
  await scope.store.create({ id: 'young', size: 3, offset: 0, creation_date: new Date().toISOString() })
  t.same(await sweep(scope), { expired: 1, leftovers: 0 })
  t.match(expired, [{ id: 'due', offset: 2 }])
  t.same(await files(), ['finished', 'finished.json', 'young', 'young.json'])
})

t.test('EXP-09 the period counts from the last byte, or from the creation where that is wanted', async (t) => {
  for (const sliding of [true, false]) {
    const { scope, add, directory } = await rig(t, { expiration: { period: 24 * HOUR, sliding } })
    await add('a', 'a')
    await fs.appendFile(path.join(directory, 'a'), 'b')
    t.equal((await sweep(scope)).expired, sliding ? 0 : 1)
  }
})

t.test('EXP-08 EDGE-58 an upload in use is left alone, and its writer is not disturbed', async (t) => {
  const { scope, add, files } = await rig(t)
  await add('a', 'a')
  const writer = scope.locker.newLock('a')
  await writer.lock(new AbortController().signal, () => { t.fail('the writer was disturbed') })
  t.equal((await sweep(scope)).expired, 0)
  t.same(await files(), ['a', 'a.json'])
  await writer.unlock()
  t.equal((await sweep(scope)).expired, 1)
})

t.test('an upload that grew before its lock was had is not expired any more', async (t) => {
  const locker = new MemoryLocker()
  const newLock = locker.newLock.bind(locker)
  const { scope, add, directory } = await rig(t, { locker })
  locker.newLock = (id) => {
    const lock = newLock(id)
    return {
      lock: lock.lock.bind(lock),
      unlock: lock.unlock.bind(lock),
      tryLock: async () => {
        await fs.appendFile(path.join(directory, id), 'b')
        return await lock.tryLock?.(() => {}) ?? false
      }
    }
  }
  await add('a', 'a')
  t.equal((await sweep(scope)).expired, 0)
})

t.test('a locker that cannot try is waited for', async (t) => {
  const memory = new MemoryLocker()
  const locker = {
    newLock: (id: string) => {
      const lock = memory.newLock(id)
      return { lock: lock.lock.bind(lock), unlock: lock.unlock.bind(lock) }
    }
  }
  const { scope, add } = await rig(t, { locker, lockTimeout: 1 })
  await add('free', 'a')
  await add('held', 'a')
  const writer = memory.newLock('held')
  let asked = 0
  await writer.lock(new AbortController().signal, () => { asked++ })
  t.equal((await sweep(scope)).expired, 1)
  t.equal(asked, 1)
})

t.test('EDGE-55 a finish hook that a crash prevented is made up for, once', async (t) => {
  const finished: (Upload & { request: unknown })[] = []
  const { scope, add } = await rig(t, {
    onUploadFinish: (request, upload) => { finished.push({ ...upload, request }) }
  })
  await add('whole', 'abc')
  await sweep(scope)
  await sweep(scope)
  t.match(finished, [{ id: 'whole', offset: 3, request: null }])
  t.equal(finished.length, 1)
})

t.test('an upload that cannot be swept does not keep the others from it', async (t) => {
  let calls = 0
  const { scope, add, logged } = await rig(t, {
    onUploadExpire: () => {
      calls++
      throw new Error('not so fast')
    }
  })
  await add('a', 'a')
  await add('b', 'b')
  await scope.store.create({ id: 'undated', size: 3, offset: 0, creation_date: 'never' })
  t.equal((await sweep(scope)).expired, 2)
  t.equal(calls, 2)
  t.match(logged.filter(({ msg }) => msg === 'onUploadExpire failed'), [{ err: { message: 'not so fast' } }, {}])
})

t.test('EDGE-73 a final upload that becomes whole while a sweep looks at its parts does not count', async (t) => {
  const { scope, add } = await rig(t, { maxUploads: 1 })
  await add('part', 'abc')
  const concatenation = { header: 'final;part', parts: ['part'], joined: false }
  const final = await scope.store.create({ id: 'final', size: 3, offset: 0, concatenation })
  const getUpload = scope.store.getUpload.bind(scope.store)
  let isSeen = false
  let times = 0
  scope.store.getUpload = async (id) => {
    const upload = await getUpload(id)
    if (id === 'part' && isSeen && times++ === 0) {
      await finishUpload(scope, null, await scope.store.concatenate(final, [upload], scope.shutdown))
    }
    isSeen ||= id === 'final'
    return upload
  }
  await sweep(scope)
  t.equal((await getUpload('final')).finished, true)
  t.ok(scope.unfinished.admit('another', undefined))
})

t.test('a sweep ends early when the app does', async (t) => {
  const { scope, shutdown, add } = await rig(t)
  await add('a', 'a')
  shutdown.abort()
  t.same(await sweep(scope), { expired: 0, leftovers: 0 })
})

t.test('sweeps repeat until they are stopped, and say what was removed', async (t) => {
  const { scope, add, logged, files } = await rig(t)
  await add('a', 'a')
  const stop = startSweeping(scope, { interval: 1 })
  while ((await files()).length > 0) await turn()
  await add('b', 'b')
  while ((await files()).length > 0) await turn()
  await stop()
  t.match(logged.filter(({ msg }) => msg === 'expired uploads removed'), [{ expired: 1 }, { expired: 1 }])
  await add('c', 'c')
  await new Promise((resolve) => setTimeout(resolve, 10))
  t.same(await files(), ['c', 'c.json'])
})

t.test('a sweep that fails is logged, and the next one comes', async (t) => {
  const { scope, logged } = await rig(t)
  scope.store.list = () => { throw new Error('no directory') }
  const stop = startSweeping(scope, { interval: 1 })
  while (logged.length < 2) await new Promise((resolve) => setTimeout(resolve, 1))
  await stop()
  t.match(logged[1], { msg: 'sweep failed', err: { message: 'no directory' } })
})

t.test('EDGE-59 after the clock jumped, a sweep is left out', async (t) => {
  const { scope, add, logged, files } = await rig(t)
  const jumps = () => logged.filter(({ msg }) => msg === 'the clock jumped: no sweep this time').length
  const readings = [0, 0]
  const wall = () => readings.shift() ?? 48 * HOUR
  const stop = startSweeping(scope, { interval: 1, clocks: { wall, steady: () => 0 } })
  while (jumps() === 0) await turn()
  await add('a', 'a')
  while ((await files()).length > 0) await turn()
  await stop()
  t.equal(jumps(), 1, 'and then they go on')
})

t.test('without an interval there is one sweep', async (t) => {
  const { scope, add, files } = await rig(t)
  await add('a', 'a')
  const stop = startSweeping(scope, { interval: 0 })
  while ((await files()).length > 0) await turn()
  await stop()
})
