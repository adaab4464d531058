import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { MemoryLocker } from '../../plugin/locks/memory.ts'

const never = new AbortController().signal

t.test('LOCK-01 a lock has one holder at a time, and the next one gets it on release', async (t) => {
  const locker = new MemoryLocker()
  const order: string[] = []
  const first = locker.newLock('a')
  await first.lock(never, () => {})
  const second = locker.newLock('a')
  const waiting = second.lock(never, () => {}).then(() => order.push('second holds'))
  await turn()
  order.push('first releases')
  await first.unlock()
  await waiting
  t.same(order, ['first releases', 'second holds'])
  await second.unlock()
})

t.test('locks of different uploads do not wait for each other', async (t) => {
  const locker = new MemoryLocker()
  await locker.newLock('a').lock(never, () => { t.fail('this lock was not requested') })
  await t.resolves(locker.newLock('b').lock(never, () => {}))
})

t.test('LOCK-02 a waiter asks the holder to release', async (t) => {
  const locker = new MemoryLocker()
  const holder = locker.newLock('a')
  let asked = 0
  await holder.lock(never, () => {
    asked++
    return holder.unlock()
  })
  await locker.newLock('a').lock(never, () => {})
  t.equal(asked, 1)
})

t.test('LOCK-02 a new holder is asked at once if others already wait', async (t) => {
  const locker = new MemoryLocker()
  const [first, second, third] = ['first', 'second', 'third'].map(() => locker.newLock('a'))
  await first?.lock(never, () => {})
  const asked = new Promise<void>((resolve) => { second?.lock(never, resolve) })
  const last = third?.lock(never, () => {})
  await first?.unlock()
  await asked
  await second?.unlock()
  await t.resolves(last as Promise<void>)
})

t.test('LOCK-05 waiting is first in, first out, and nothing runs meanwhile', async (t) => {
  const locker = new MemoryLocker()
  const holder = locker.newLock('a')
  await holder.lock(never, () => {})
  const order: number[] = []
  const waiters = Array.from({ length: 20 }, async (_unused, number) => {
    const lock = locker.newLock('a')
    await lock.lock(never, () => {})
    order.push(number)
    await lock.unlock()
  })
  for (let turns = 0; turns < 10; turns++) await turn()
  t.same(order, [], 'no waiter got the lock while it was held')
  t.notOk(process.getActiveResourcesInfo().includes('Immediate'), 'waiters do not poll')
  await holder.unlock()
  await Promise.all(waiters)
  t.same(order, Array.from({ length: 20 }, (_unused, number) => number))
})

t.test('LOCK-04 an abort of the signal ends waiting and frees the place in the queue', async (t) => {
  const locker = new MemoryLocker()
  const holder = locker.newLock('a')
  await holder.lock(never, () => {})
  const impatient = new AbortController()
  const waiting = locker.newLock('a').lock(impatient.signal, () => {})
  const patient = locker.newLock('a')
  const next = patient.lock(never, () => {})
  impatient.abort(new Error('too long'))
  await t.rejects(waiting, { message: 'too long' })
  await holder.unlock()
  await t.resolves(next)
  await t.rejects(locker.newLock('a').lock(impatient.signal, () => {}), { message: 'too long' })
})

t.test('EDGE-61 waiters beyond the limit are refused at once', async (t) => {
  const locker = new MemoryLocker({ maxWaiters: 1 })
  await locker.newLock('a').lock(never, () => {})
  locker.newLock('a').lock(never, () => {})
  await t.rejects(locker.newLock('a').lock(never, () => {}), { code: 'FST_TUS_LOCKED', cause: { message: /1 requests are waiting/ } })
})

t.test('a holder that fails to release keeps the lock, and nothing else breaks', async (t) => {
  const locker = new MemoryLocker()
  const holder = locker.newLock('a')
  await holder.lock(never, () => { throw new Error('not now') })
  const next = locker.newLock('a').lock(never, () => {})
  await turn()
  await holder.unlock()
  await t.resolves(next)
})

t.test('tryLock acquires a free lock, and does not ask a holder to release', async (t) => {
  const locker = new MemoryLocker()
  const holder = locker.newLock('a')
  let asked = 0
  t.equal(holder.tryLock?.(() => { asked++ }), true)
  const busy = locker.newLock('b')
  await busy.lock(never, () => { t.fail('the holder was asked') })
  t.equal(locker.newLock('b').tryLock?.(() => {}), false)
  const next = locker.newLock('a').lock(never, () => {})
  await turn()
  t.equal(asked, 1, 'and is asked to release like any other holder')
  await holder.unlock()
  await t.resolves(next)
})

t.test('a lock that is not held cannot be released', async (t) => {
  const locker = new MemoryLocker()
  await locker.newLock('a').lock(never, () => {})
  await t.rejects(locker.newLock('a').unlock(), { message: 'This lock is not held' })
})
