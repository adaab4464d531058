/**
 * The contract of lockers, as tests. `Locker` in `plugin/types.ts` states it in words; `docs/reference/lockers.md`
 * explains it for authors of lockers.
 */
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import type { Test } from 'tap'
import type { Lock, Locker, RequestRelease } from '../../plugin/index.ts'
import { until } from '../helper.ts'

/** The environment that lockers under test share: a process, a machine, a server. */
export interface LockerEngine {
  /** A locker, as each process would create one. */
  open (): Locker | Promise<Locker>
}

export interface LockerContractOptions {
  /** Starts an engine without locks, for one test. */
  start: (t: Test) => LockerEngine | Promise<LockerEngine>
  /** Whether two lockers of an engine exclude each other. */
  isShared: boolean
  /** Whether waiters get the lock in order of arrival. */
  isFair: boolean
  /** Whether locks have `tryLock`. */
  canTry: boolean
  /** Names of the tests that a locker is known to fail. Only for third-party lockers. */
  fails?: string[]
  /** Why the tests cannot run, if they cannot. */
  skip?: string | false
}

const never = () => new AbortController().signal
const ignore = () => {}

/** Acquires locks, and counts how often the holder is asked to release. */
async function hold (locker: Locker, id: string): Promise<{ lock: Lock, asked: () => number }> {
  const lock = locker.newLock(id)
  let asked = 0
  await lock.lock(never(), () => { asked++ })
  return { lock, asked: () => asked }
}

/** Runs the contract against a locker. */
export function lockerContract (name: string, options: LockerContractOptions): void {
  const { start, isShared, isFair, canTry, fails = [], skip = false } = options
  const check = (title: string, run: (t: Test, first: Locker, second: Locker) => Promise<void>) => {
    if (fails.includes(title)) return
    t.test(`${name}: ${title}`, { skip }, async (t) => {
      const engine = await start(t)
      const first = await engine.open()
      const second = isShared ? await engine.open() : first
      await run(t, first, second)
      await first.close?.()
      if (second !== first) await second.close?.()
    })
  }

  check('shared says whether other processes use the locker', async (t, locker) => {
    t.equal(locker.shared, isShared)
  })

  check('an upload has one holder at a time', async (t, first, second) => {
    let holders = 0
    let most = 0
    await Promise.all(Array.from({ length: 20 }, async (_, i) => {
      const lock = (i % 2 === 0 ? first : second).newLock('a')
      await lock.lock(never(), ignore)
      most = Math.max(most, ++holders)
      await wait(1)
      holders--
      await lock.unlock()
    }))
    t.equal(most, 1)
    t.equal(holders, 0)
  })

  check('locks of different uploads are independent', async (t, first, second) => {
    const a = await hold(first, 'a')
    const b = await hold(second, 'b')
    t.equal(a.asked() + b.asked(), 0)
    await a.lock.unlock()
    await b.lock.unlock()
  })

  check('a waiting request asks the holder to release the lock', async (t, first, second) => {
    const holder = await hold(first, 'a')
    const waiter = second.newLock('a')
    let isHeld = false
    const waiting = waiter.lock(never(), ignore).then(() => { isHeld = true })
    await until(() => holder.asked() > 0)
    t.notOk(isHeld)
    await holder.lock.unlock()
    await waiting
    await waiter.unlock()
  })

  check('a new holder is asked too if other requests already wait', async (t, first, second) => {
    const holder = await hold(first, 'a')
    let asked = 0
    const ask: RequestRelease = () => { asked++ }
    const locks = [second.newLock('a'), first.newLock('a')]
    const waiting = locks.map(async (lock) => {
      await lock.lock(never(), ask)
      return lock
    })
    await until(() => holder.asked() > 0)
    await holder.lock.unlock()
    const next = await Promise.race(waiting)
    await until(() => asked > 0)
    await next.unlock()
    for (const lock of await Promise.all(waiting)) if (lock !== next) await lock.unlock()
    t.ok(asked > 0)
  })

  check('a request stops waiting when its signal aborts', async (t, first, second) => {
    const holder = await hold(first, 'a')
    const controller = new AbortController()
    const waiting = second.newLock('a').lock(controller.signal, ignore)
    await until(() => holder.asked() > 0)
    controller.abort(new Error('too late'))
    await t.rejects(waiting)
    await holder.lock.unlock()
    const next = await hold(second, 'a')
    t.equal(next.asked(), 0, 'it does not get the lock later')
    await next.lock.unlock()
  })

  check('a held lock is not granted if the signal has already aborted', async (t, first, second) => {
    const holder = await hold(first, 'a')
    await t.rejects(second.newLock('a').lock(AbortSignal.abort(new Error('too late')), ignore))
    await holder.lock.unlock()
    await (await hold(second, 'a')).lock.unlock()
  })

  check('a holder whose callback throws keeps the lock until it releases it', async (t, first, second) => {
    for (const fail of [() => { throw new Error('no') }, () => Promise.reject(new Error('no'))]) {
      const lock = first.newLock('a')
      let asked = 0
      await lock.lock(never(), () => {
        asked++
        return fail()
      })
      let isHeld = false
      const waiter = second.newLock('a')
      const waiting = waiter.lock(never(), ignore).then(() => { isHeld = true })
      await until(() => asked > 0)
      t.notOk(isHeld)
      await lock.unlock()
      await waiting
      await waiter.unlock()
    }
  })

  if (isFair) {
    check('waiters get the lock in order of arrival', async (t, first, second) => {
      const holder = await hold(first, 'a')
      const order: number[] = []
      const waiting: Array<Promise<void>> = []
      for (const i of [0, 1, 2, 3]) {
        // Between processes, only requests that the holder knows have an order.
        const lock = (i === 0 ? second : first).newLock('a')
        const before = holder.asked()
        waiting.push(lock.lock(never(), ignore).then(async () => {
          order.push(i)
          await lock.unlock()
        }))
        // A locker may ask the holder once for all requests of a process.
        if (i < 2) await until(() => holder.asked() > before)
      }
      await holder.lock.unlock()
      await Promise.all(waiting)
      t.same(order, [0, 1, 2, 3])
    })
  }

  if (canTry) {
    check('tryLock acquires a free lock, and does not ask a holder to release', async (t, first, second) => {
      const lock = first.newLock('a')
      let asked = 0
      t.equal(await lock.tryLock?.(() => { asked++ }), true)
      t.equal(await second.newLock('a').tryLock?.(ignore), false)
      t.equal(asked, 0)
      const waiter = second.newLock('a')
      const waiting = waiter.lock(never(), ignore)
      await until(() => asked > 0)
      await lock.unlock()
      await waiting
      await waiter.unlock()
    })
  }

  check('a lock can be acquired again after its release', async (t, first, second) => {
    for (const locker of [first, second, first]) {
      const { lock, asked } = await hold(locker, 'a')
      t.equal(asked(), 0)
      await lock.unlock()
    }
  })

  check('a locker can be used after it was closed', async (t, first) => {
    await first.close?.()
    const { lock } = await hold(first, 'a')
    await lock.unlock()
    t.pass('released')
  })
}
