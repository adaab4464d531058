import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import type { Test } from 'tap'
import { RedisLocker, type RedisClient } from '../../../plugin/locks/redis/index.ts'
import { skipWithout } from '../../engines/skip.ts'
import { connectTo, startRedis } from '../../engines/redis.ts'
import { build, OFFSET_OCTET_STREAM, temporaryDirectory, until } from '../../helper.ts'

const skip = skipWithout('redis')
const never = new AbortController().signal
const ignore = () => {}

async function rig (t: Test) {
  const redis = await startRedis(t)
  const client = connectTo(t, redis)
  const subscribers = async () => {
    const connections = String(await client.client('LIST')).split('\n')
    return connections.filter((line) => line.includes(' sub=2')).length
  }
  const open = () => {
    const locker = new RedisLocker({ client: connectTo(t, redis) })
    t.teardown(() => locker.close())
    return locker
  }
  return { redis, client, open, subscribers }
}

t.test('the options are checked', async (t) => {
  const client: RedisClient = {
    evalsha: async () => null,
    eval: async () => null,
    publish: async () => 0,
    duplicate: () => ({ subscribe: async () => {}, on: () => {}, disconnect: () => {} })
  }
  t.doesNotThrow(() => new RedisLocker({ client, prefix: '', ttl: 1000 }))
  const wrong: object[] = [
    { client: undefined }, { client: { ...client, publish: 1 } }, { client, prefix: 1 }, { client, ttl: 999 },
    { client, ttl: 1000.5 }
  ]
  for (const options of wrong) {
    t.throws(() => new RedisLocker(options as { client: RedisClient }), { code: 'FST_TUS_INVALID_OPTION' })
  }
})

t.test('changes are announced to other processes, a few at a time', { skip }, async (t) => {
  const { client, open, subscribers } = await rig(t)
  const [first, second] = [open(), open()]
  const seen: string[] = []
  const own: string[] = []
  const stop = first.onChanged((id) => seen.push(id))
  const stopOwn = second.onChanged((id) => own.push(id))
  await until(async () => await subscribers() === 2)
  for (let i = 0; i < 100; i++) second.changed(i % 2 === 0 ? 'a' : 'b c')
  await until(() => seen.length === 2)
  t.same(seen, ['a', 'b c'])
  t.same(own, [], 'a process knows its own changes')
  t.match(await client.info('commandstats'), /cmdstat_publish:calls=1,/)
  stop()
  second.changed('d')
  first.changed('e')
  await until(() => own.length > 0)
  t.same(seen, ['a', 'b c'])
  stopOwn()
})

t.test('the connection for messages is closed once no lock is in use', { skip }, async (t) => {
  const { open, subscribers } = await rig(t)
  const locker = open()
  const lock = locker.newLock('a')
  await lock.lock(never, ignore)
  t.equal(await subscribers(), 1)
  await locker.close()
  t.equal(await subscribers(), 1)
  await lock.unlock()
  await until(async () => await subscribers() === 0)
  const stop = locker.onChanged(ignore)
  await until(async () => await subscribers() === 1)
  await locker.close()
  stop()
  await until(async () => await subscribers() === 0)
})

t.test('without Redis, requests fail, and announcements are lost', { skip }, async (t) => {
  const { redis, client } = await rig(t)
  await redis.stop()
  const impatient = connectTo(t, redis)
  impatient.options.maxRetriesPerRequest = 1
  const locker = new RedisLocker({ client: impatient })
  t.teardown(() => locker.close())
  const stop = locker.onChanged(ignore)
  locker.changed('a')
  await t.rejects(locker.newLock('a').lock(never, ignore), { name: 'MaxRetriesPerRequestError' })
  await t.rejects(locker.newLock('a').tryLock?.(ignore) as Promise<boolean>, { name: 'MaxRetriesPerRequestError' })
  await wait(60)
  await redis.start()
  await client.ping()
  const lock = locker.newLock('b')
  await until(async () => await lock.lock(never, ignore).then(() => true, () => false))
  await lock.unlock()
  stop()
})

t.test('a request in one app displaces a body in another, over one directory', { skip }, async (t) => {
  const { open } = await rig(t)
  const directory = await temporaryDirectory(t)
  const first = await build(t, { directory, locker: open() })
  const second = await build(t, { directory, locker: open() })
  const location = await first.create(6)
  const { response } = await first.stall(location, 0, 6, 'abc')
  await first.untilStored(location, 3)
  t.match(await second.head(location), { statusCode: 200, headers: { 'upload-offset': '3' } })
  t.match(await response, { status: 423, headers: { 'upload-offset': '3' } })
  t.equal((await second.patch(location, 3, 'def')).statusCode, 204)
  t.equal((await first.head(location)).headers['upload-offset'], '6')
  t.equal((await second.stored(location)).toString(), 'abcdef')
})

t.test('while Redis is down, requests get 503, and a body under way is stored', { skip }, async (t) => {
  const { redis, open } = await rig(t)
  const locker = new RedisLocker({ client: connectTo(t, redis), ttl: 30_000 })
  t.teardown(() => locker.close())
  const { create, untilStored, listen } = await build(t, { locker })
  const other = await build(t, { locker: open() })
  const location = await create(6)
  const elsewhere = await other.create(3)
  const headers = {
    'tus-resumable': '1.0.0', 'content-type': OFFSET_OCTET_STREAM, 'upload-offset': '0', 'content-length': '6'
  }
  const patch = request(await listen() + location, { method: 'PATCH', headers })
  patch.write('abc')
  await untilStored(location, 3)
  await redis.stop('SIGKILL')
  const refused = await other.patch(elsewhere, 0, 'abc')
  t.match(refused, { statusCode: 503, headers: { 'retry-after': String } })
  t.equal(refused.json().code, 'FST_TUS_LOCKER_FAILED')
  patch.end('def')
  await untilStored(location, 6)
  await redis.start()
  const [response] = await once(patch, 'response') as [IncomingMessage]
  t.match(response, { statusCode: 204, headers: { 'upload-offset': '6' } })
  t.equal((await other.patch(elsewhere, 0, 'abc')).statusCode, 204)
})
