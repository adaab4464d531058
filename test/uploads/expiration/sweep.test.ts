import fs from 'node:fs/promises'
import path from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import Fastify from 'fastify'
import type { FastifyRequest } from 'fastify'
import t, { type Test } from 'tap'
import { MemoryLocker } from '../../../plugin/locks/memory.ts'
import type { FastifyTusOptions } from '../../../plugin/options.ts'
import { matchSettings } from '../../../plugin/engines.ts'
import { resolveSettings } from '../../../plugin/settings.ts'
import { StoreAdapter } from '../../../plugin/stores/adapter.ts'
import { FileStore } from '../../../plugin/stores/file/file-store.ts'
import type { Upload } from '../../../plugin/types.ts'
import { processUpload } from '../../../plugin/uploads/completion.ts'
import { createContext } from '../../../plugin/uploads/context.ts'
import { sweep } from '../../../plugin/uploads/expiration/sweep.ts'
import { startSweeping } from '../../../plugin/uploads/expiration/sweeper.ts'

const HOUR = 3_600_000
const old = new Date(Date.now() - 48 * HOUR)

async function rig (t: Test, options: FastifyTusOptions = {}) {
  const directory = t.testdir()
  const files = new FileStore({ directory })
  const logged: Record<string, unknown>[] = []
  const stream = { write: (line: string) => { logged.push(JSON.parse(line)) } }
  const { log } = Fastify({ logger: { level: 'debug', stream } })
  const shutdown = new AbortController()
  const engines = { store: new StoreAdapter(files), locker: options.locker ?? new MemoryLocker() }
  const settings = matchSettings(resolveSettings({ expiration: { period: 24 * HOUR }, ...options }), engines.store)
  const context = createContext(settings, engines, log, '/files', shutdown.signal)
  /** An upload of length 3 with some of its bytes, created and last written two days ago. */
  const add = async (id: string, bytes: string) => {
    await files.create({ id, size: 3, offset: 0, creation_date: old.toISOString() })
    await fs.writeFile(path.join(directory, id), bytes)
    await fs.utimes(path.join(directory, id), old, old)
  }
  const filesNow = async () => (await fs.readdir(directory)).sort()
  return { directory, context, locker: engines.locker, shutdown, add, logged, files: filesNow }
}

t.test('EXP-07 a sweep deletes unfinished uploads that have expired, and calls the hook', async (t) => {
  const expired: Upload[] = []
  const { context, add, files } = await rig(t, { onUploadExpire: (upload) => { expired.push(upload) } })
  await add('due', 'ab')
  await add('finished', 'abc')
  await context.store.create({ id: 'young', size: 3, offset: 0, creation_date: new Date().toISOString() })
  t.same(await sweep(context), { expired: 1, orphans: 0 })
  t.match(expired, [{ id: 'due', offset: 2 }])
  t.same(await files(), ['finished', 'finished.json', 'young', 'young.json'])
})

t.test('EXP-09 the period starts at the last byte, or at the creation if so configured', async (t) => {
  for (const sliding of [true, false]) {
    const { context, add, directory } = await rig(t, { expiration: { period: 24 * HOUR, sliding } })
    await add('a', 'a')
    await fs.appendFile(path.join(directory, 'a'), 'b')
    t.equal((await sweep(context)).expired, sliding ? 0 : 1)
  }
})

t.test('EXP-08 EDGE-58 a sweep skips a locked upload, and its writer continues', async (t) => {
  const { context, locker, add, files } = await rig(t)
  await add('a', 'a')
  const writer = locker.newLock('a')
  await writer.lock(new AbortController().signal, () => { t.fail('the writer was interrupted') })
  t.equal((await sweep(context)).expired, 0)
  t.same(await files(), ['a', 'a.json'])
  await writer.unlock()
  t.equal((await sweep(context)).expired, 1)
})

t.test('an upload that grew before the sweep acquired its lock no longer expires', async (t) => {
  const locker = new MemoryLocker()
  const newLock = locker.newLock.bind(locker)
  const { context, add, directory } = await rig(t, { locker })
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
  t.equal((await sweep(context)).expired, 0)
})

t.test('an upload that was deleted before the sweep acquired its lock is no problem', async (t) => {
  const locker = new MemoryLocker()
  const newLock = locker.newLock.bind(locker)
  const { context, add, logged } = await rig(t, { locker })
  locker.newLock = (id) => {
    const lock = newLock(id)
    return {
      lock: lock.lock.bind(lock),
      unlock: lock.unlock.bind(lock),
      tryLock: async () => {
        await context.store.remove(id)
        return await lock.tryLock?.(() => {}) ?? false
      }
    }
  }
  await add('a', 'a')
  t.same(await sweep(context), { expired: 0, orphans: 0 })
  t.same(logged, [])
})

t.test('a sweep waits for a locker without tryLock', async (t) => {
  const memory = new MemoryLocker()
  const locker = {
    newLock: (id: string) => {
      const lock = memory.newLock(id)
      return { lock: lock.lock.bind(lock), unlock: lock.unlock.bind(lock) }
    }
  }
  const { context, add } = await rig(t, { locker, lockTimeout: 1 })
  await add('free', 'a')
  await add('held', 'a')
  const writer = memory.newLock('held')
  let asked = 0
  await writer.lock(new AbortController().signal, () => { asked++ })
  t.equal((await sweep(context)).expired, 1)
  t.equal(asked, 1)
})

t.test('EDGE-55 a sweep calls a finish hook that a crash prevented, once', async (t) => {
  const finished: (Upload & { request: unknown })[] = []
  const { context, add } = await rig(t, {
    onUploadFinish: (request, upload) => { finished.push({ ...upload, request }) }
  })
  await add('complete', 'abc')
  await sweep(context)
  await sweep(context)
  t.match(finished, [{ id: 'complete', offset: 3, request: null }])
  t.equal(finished.length, 1)
})

t.test('an upload that cannot be swept does not keep the others from being swept', async (t) => {
  let calls = 0
  const { context, add, logged } = await rig(t, {
    onUploadExpire: () => {
      calls++
      throw new Error('not so fast')
    }
  })
  await add('a', 'a')
  await add('b', 'b')
  await context.store.create({ id: 'undated', size: 3, offset: 0, creation_date: 'never' })
  t.equal((await sweep(context)).expired, 2)
  t.equal(calls, 2)
  t.match(logged.filter(({ msg }) => msg === 'onUploadExpire failed'), [{ err: { message: 'not so fast' } }, {}])
})

t.test('EDGE-73 a final upload that completes during a sweep does not count as unfinished', async (t) => {
  const { context, add } = await rig(t, { maxUploads: 1 })
  await add('part', 'abc')
  const concatenation = { header: 'final;part', parts: [{ id: 'part' }] }
  const final = await context.store.create({ id: 'final', size: 3, offset: 0, complete: false, concatenation })
  const getUpload = context.store.getUpload.bind(context.store)
  let isSeen = false
  let times = 0
  context.store.getUpload = async (id) => {
    const upload = await getUpload(id)
    if (id === 'part' && isSeen && times++ === 0) {
      const complete = await context.store.concatenate(final, [upload], context.shutdown)
      context.events.publish('completed', { upload: complete, request: null })
      await context.locks.hold('final', async (lock) => await processUpload(context, null, complete, lock))
    }
    isSeen ||= id === 'final'
    return upload
  }
  await sweep(context)
  t.equal((await getUpload('final')).finished, true)
  t.ok(await context.limits.uploads.admit({} as FastifyRequest, 'another', async () => true))
})

t.test('a sweep ends early if the app closes', async (t) => {
  const { context, shutdown, add } = await rig(t)
  await add('a', 'a')
  shutdown.abort()
  t.same(await sweep(context), { expired: 0, orphans: 0 })
})

t.test('sweeps repeat until they are stopped, and log what was removed', async (t) => {
  const { context, add, logged, files } = await rig(t)
  await add('a', 'a')
  const stop = startSweeping(context, { interval: 1 })
  while ((await files()).length > 0) await turn()
  await add('b', 'b')
  while ((await files()).length > 0) await turn()
  await stop()
  t.match(logged.filter(({ msg }) => msg === 'expired uploads and orphans deleted'), [{ expired: 1 }, { expired: 1 }])
  await add('c', 'c')
  await new Promise((resolve) => setTimeout(resolve, 10))
  t.same(await files(), ['c', 'c.json'])
})

t.test('a sweep that fails is logged, and the next one runs', async (t) => {
  const { context, logged } = await rig(t)
  context.store.due = () => { throw new Error('no directory') }
  const stop = startSweeping(context, { interval: 1 })
  while (logged.length < 2) await new Promise((resolve) => setTimeout(resolve, 1))
  await stop()
  t.match(logged[1], { msg: 'sweep failed', err: { message: 'no directory' } })
})

t.test('a sweep ends at the first failure of the locker', async (t) => {
  let locks = 0
  const newLock = () => {
    locks++
    throw new Error('no connection')
  }
  const { context, add, files } = await rig(t, { locker: { newLock } })
  await add('a', 'ab')
  await add('b', 'ab')
  await t.rejects(sweep(context), { code: 'FST_TUS_LOCKER_FAILED' })
  t.equal(locks, 1)
  t.equal((await files()).length, 4)
})

t.test('EDGE-59 a sweep is skipped after the clock has jumped', async (t) => {
  const { context, add, logged, files } = await rig(t)
  const jumps = () => logged.filter(({ msg }) => msg === 'clock jumped: sweep skipped').length
  const readings = [0, 0]
  const wall = () => readings.shift() ?? 48 * HOUR
  const stop = startSweeping(context, { interval: 1, clocks: { wall, steady: () => 0 } })
  while (jumps() === 0) await turn()
  await add('a', 'a')
  while ((await files()).length > 0) await turn()
  await stop()
  t.equal(jumps(), 1, 'the next sweeps run')
})

t.test('without an interval there is one sweep', async (t) => {
  const { context, add, files } = await rig(t)
  await add('a', 'a')
  const stop = startSweeping(context, { interval: 0 })
  while ((await files()).length > 0) await turn()
  await stop()
})

t.test('processes that share a locker sweep one at a time', async (t) => {
  const memory = new MemoryLocker()
  const withoutTry = {
    newLock (id: string) {
      const lock = memory.newLock(id)
      return { lock: lock.lock.bind(lock), unlock: lock.unlock.bind(lock) }
    }
  }
  for (const locker of [memory, withoutTry]) {
    const { context, add, logged, files } = await rig(t, { locker, lockTimeout: 20 })
    const looks: string[] = []
    const { newLock } = locker
    locker.newLock = (id) => {
      looks.push(id)
      return newLock.call(locker, id)
    }
    const lock = newLock.call(locker, 'sweep /files')
    await lock.lock(new AbortController().signal, () => {})
    await add('a', 'a')
    const stop = startSweeping(context, { interval: 1 })
    while (looks.length < 3) await new Promise((resolve) => setTimeout(resolve, 1))
    t.same(await files(), ['a', 'a.json'], 'another process sweeps')
    await lock.unlock()
    while ((await files()).length > 0) await new Promise((resolve) => setTimeout(resolve, 1))
    await stop()
    t.same(logged.filter(({ msg }) => msg === 'sweep failed'), [])
  }
})
