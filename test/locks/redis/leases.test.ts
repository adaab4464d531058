import t from 'tap'
import type { Test } from 'tap'
import { RedisLocker } from '../../../plugin/locks/redis/index.ts'
import { skipWithout } from '../../engines/skip.ts'
import { connectTo, startRedis } from '../../engines/redis.ts'
import { until } from '../../helper.ts'
import { startHolder } from './processes.ts'

const skip = skipWithout('redis')
const never = new AbortController().signal
const TTL = 3000

async function rig (t: Test) {
  const redis = await startRedis(t)
  const client = connectTo(t, redis)
  const locker = new RedisLocker({ client, ttl: TTL })
  t.teardown(() => locker.close())
  return { redis, client, locker }
}

t.test('a stopped process loses its lock, and knows once it continues', { skip }, async (t) => {
  const { redis, locker } = await rig(t)
  const holder = await startHolder(t, redis.port, TTL, 'held')
  holder.child.kill('SIGSTOP')
  const lock = locker.newLock('a')
  await lock.lock(never, () => {})
  holder.child.kill('SIGCONT')
  await until(() => holder.reports.some((report) => report.startsWith('lost')))
  t.ok(holder.reports.includes('lost: The lease of lock 2 has ended'))
  holder.unlock()
  await until(() => holder.reports.includes('unlocked'))
  t.equal(await locker.newLock('a').tryLock?.(() => {}), false, 'its release does not affect the new holder')
  t.notOk(lock.lost?.aborted)
  await lock.unlock()
})

t.test('the lock of a killed process expires, and its waiting requests are skipped', { skip }, async (t) => {
  const { redis, locker } = await rig(t)
  const holder = await startHolder(t, redis.port, TTL, 'held')
  const waiting = await startHolder(t, redis.port, TTL, 'waiting')
  await until(() => holder.reports.includes('asked'))
  const lock = locker.newLock('a')
  const locking = lock.lock(never, () => {})
  await waiting.kill()
  await holder.kill()
  await locking
  await lock.unlock()
})

t.test('a lease is renewed as long as the lock is held', { skip }, async (t) => {
  const { client, locker } = await rig(t)
  const lock = locker.newLock('a')
  await lock.lock(never, () => {})
  const calls = async () => Number(/cmdstat_pexpire:calls=(\d+)/.exec(await client.info('commandstats'))?.[1] ?? 0)
  const before = await calls()
  await until(async () => await calls() >= before + 4)
  t.notOk(lock.lost?.aborted)
  t.ok(await client.pttl('fastify-tus:{a}:lock') > 0)
  await lock.unlock()
  t.equal(await client.exists('fastify-tus:{a}:lock'), 0)
})

t.test('FLUSHALL ends the leases, and requests that wait get their turn', { skip }, async (t) => {
  const { client, locker } = await rig(t)
  const lock = locker.newLock('a')
  await lock.lock(never, () => {})
  const order: number[] = []
  const waiting = [1, 2, 3].map(async (number) => {
    const next = locker.newLock('a')
    await next.lock(never, () => {})
    order.push(number)
    await next.unlock()
  })
  await until(async () => await client.zcard('fastify-tus:{a}:queue') === 3)
  await client.flushall()
  await Promise.all(waiting)
  t.same(order.sort(), [1, 2, 3])
  await until(() => lock.lost?.aborted === true)
  await lock.unlock()
})

t.test('a restart of Redis ends the leases, and locks are granted again', { skip }, async (t) => {
  const { redis, locker } = await rig(t)
  const lock = locker.newLock('a')
  await lock.lock(never, () => {})
  await redis.restart('SIGKILL')
  await until(() => lock.lost?.aborted === true)
  await lock.unlock()
  const next = locker.newLock('a')
  await next.lock(never, () => {})
  await next.unlock()
})

t.test('a lease ends if Redis cannot be reached, or does not respond', { skip }, async (t) => {
  for (const fail of ['stop', 'pause'] as const) {
    const { redis, client, locker } = await rig(t)
    client.options.maxRetriesPerRequest = 0
    const lock = locker.newLock('a')
    await lock.lock(never, () => {})
    const { lost } = lock
    await redis[fail]()
    await until(() => lost?.aborted === true)
    if (fail === 'stop') await redis.start()
    else redis.resume()
    await client.ping().catch(() => {})
    await lock.unlock().catch(() => {})
  }
})

t.test('a lease ends by the clock of the process before its timer runs', { skip }, async (t) => {
  const { locker } = await rig(t)
  const lock = locker.newLock('a')
  await lock.lock(never, () => {})
  t.notOk(lock.lost?.aborted)
  const { now } = performance
  t.intercept(performance, 'now', { value: () => now.call(performance) + TTL })
  t.ok(lock.lost?.aborted)
  await lock.unlock()
})
