import { Cluster } from 'ioredis'
import t from 'tap'
import type { Test } from 'tap'
import { RedisLocker } from '../../../plugin/locks/redis/index.ts'
import { skipWithout } from '../../engines/skip.ts'
import { connectTo, startRedis } from '../../engines/redis.ts'
import { until } from '../../helper.ts'

const skip = skipWithout('redis')
const never = new AbortController().signal
const ignore = () => {}

/** Two lockers, as those of two processes. */
async function rig (t: Test, options: { ttl?: number, maxWaiters?: number } = {}) {
  const redis = await startRedis(t)
  const admin = connectTo(t, redis)
  const open = () => {
    const locker = new RedisLocker({ client: connectTo(t, redis), ...options })
    t.teardown(() => locker.close())
    return locker
  }
  return { redis, admin, first: open(), second: open() }
}

t.test('100 requests that wait for one lock need few commands', { skip }, async (t) => {
  const { admin, first, second } = await rig(t)
  const holder = first.newLock('a')
  await holder.lock(never, ignore)
  const order: number[] = []
  const waiting = Array.from({ length: 100 }, async (_unused, number) => {
    const lock = (number < 50 ? first : second).newLock('a')
    await lock.lock(never, ignore)
    order.push(number)
    await lock.unlock()
  })
  await until(async () => await admin.zcard('fastify-tus:{a}:queue') === 100)
  await holder.unlock()
  await Promise.all(waiting)
  const stats = await admin.info('commandstats')
  const calls = Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1])
  // Each waits, confirms and leaves; looks come once a second.
  t.ok(calls >= 300 && calls < 400, `${calls} scripts`)
  const [inFirst, inSecond] = [order.filter((number) => number < 50), order.filter((number) => number >= 50)]
  t.same(inFirst, [...inFirst].sort((a, b) => a - b))
  t.same(inSecond, [...inSecond].sort((a, b) => a - b))
})

t.test('a holder is displaced although the connection for messages was cut', { skip }, async (t) => {
  const { admin, first, second } = await rig(t, { ttl: 5000 })
  const holder = first.newLock('a')
  let asked = 0
  await holder.lock(never, () => { asked++ })
  await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
  const next = second.newLock('a')
  const locking = next.lock(never, ignore)
  await until(() => asked > 0)
  await holder.unlock()
  await locking
  await next.unlock()
})

t.test('a lock is granted although the message about it was lost', { skip }, async (t) => {
  const { redis, admin, first } = await rig(t, { ttl: 5000 })
  // Messages are received on a connection that this one does not have.
  const deaf = connectTo(t, redis)
  const subscriber = deaf.duplicate()
  t.teardown(() => subscriber.disconnect())
  subscriber.on = () => subscriber
  const client = Object.assign(deaf, { duplicate: () => subscriber })
  const holder = first.newLock('a')
  await holder.lock(never, ignore)
  const next = new RedisLocker({ client, ttl: 5000 }).newLock('a')
  const locking = next.lock(never, ignore)
  await until(async () => await admin.zcard('fastify-tus:{a}:queue') === 1)
  await holder.unlock()
  await locking
  await next.unlock()
})

t.test('a request that gives up while Redis is paused does not get the lock later', { skip }, async (t) => {
  const { redis, admin, first, second } = await rig(t)
  const other = first.newLock('b')
  await other.lock(never, ignore)
  redis.pause()
  const impatient = new AbortController()
  const locking = first.newLock('a').lock(impatient.signal, ignore)
  impatient.abort(new Error('too late'))
  await t.rejects(locking, { message: 'too late' })
  redis.resume()
  const lock = second.newLock('a')
  await lock.lock(never, ignore)
  await lock.unlock()
  await other.unlock()
  t.equal(await admin.exists('fastify-tus:{a}:lock', 'fastify-tus:{a}:queue'), 0)
})

t.test('CLIENT PAUSE makes requests fail in time, and afterwards they succeed', { skip }, async (t) => {
  const { admin, first, second } = await rig(t, { ttl: 5000 })
  const held = first.newLock('a')
  await held.lock(never, ignore)
  const waiting = second.newLock('a').lock(never, ignore)
  waiting.catch(ignore)
  await until(async () => await admin.zcard('fastify-tus:{a}:queue') === 1)
  await admin.client('PAUSE', 8000, 'ALL')
  const commands = [
    waiting, second.newLock('b').lock(never, ignore), second.newLock('c').tryLock?.(ignore), held.unlock()
  ]
  for (const result of await Promise.allSettled(commands)) {
    t.match(result, { status: 'rejected', reason: { message: 'Redis has not responded within 3000 ms' } })
  }
  await until(async () => {
    const lock = second.newLock('c')
    return await lock.lock(never, ignore).then(async () => { await lock.unlock(); return true }, () => false)
  })
})

t.test('requests beyond the limit are refused at once', { skip }, async (t) => {
  const { first } = await rig(t, { maxWaiters: 1 })
  const holder = first.newLock('a')
  await holder.lock(never, ignore)
  const next = first.newLock('a')
  const locking = next.lock(never, ignore)
  await t.rejects(first.newLock('a').lock(never, ignore), { code: 'FST_TUS_LOCKED' })
  await holder.unlock()
  await locking
  await next.unlock()
  await t.rejects(next.unlock(), { message: 'This lock is not held' })
})

t.test('tryLock leaves an expired lock to the request that waits for it', { skip }, async (t) => {
  const { admin, first, second } = await rig(t)
  const holder = first.newLock('a')
  await holder.lock(never, ignore)
  const next = first.newLock('a')
  const locking = next.lock(never, ignore)
  await until(async () => await admin.zcard('fastify-tus:{a}:queue') === 1)
  await admin.del('fastify-tus:{a}:lock')
  t.equal(await second.newLock('a').tryLock?.(ignore), false)
  await locking
  await holder.unlock()
  t.notOk(next.lost?.aborted, 'a release does not affect the next holder')
  t.equal(await admin.exists('fastify-tus:{a}:lock'), 1)
  await next.unlock()
})

t.test('all keys of an upload are in one slot of a cluster', { skip }, async (t) => {
  const redis = await startRedis(t, ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'])
  const admin = connectTo(t, redis)
  await admin.cluster('ADDSLOTSRANGE', 0, 16_383)
  await until(async () => String(await admin.cluster('INFO')).includes('cluster_state:ok'))
  const client = new Cluster([{ host: '127.0.0.1', port: redis.port }])
  t.teardown(() => client.disconnect())
  const locker = new RedisLocker({ client })
  t.teardown(() => locker.close())
  for (const id of ['a', '}{', 'a{b}c', '{}']) {
    const [holder, next] = [locker.newLock(id), locker.newLock(id)]
    let isAsked = false
    await holder.lock(never, () => { isAsked = true })
    const locking = next.lock(never, ignore)
    await until(() => isAsked)
    await holder.unlock()
    await locking
    await next.unlock()
  }
  t.equal(await admin.dbsize(), 4, 'only the counters remain')
})
