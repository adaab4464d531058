import { mock } from 'node:test'
import type { FastifyRequest } from 'fastify'
import Fastify from 'fastify'
import t from 'tap'
import { MemoryLocker } from '../../../plugin/index.ts'
import { RedisLocker } from '../../../plugin/locks/redis/index.ts'
import { resolveSettings } from '../../../plugin/settings.ts'
import type { Counter } from '../../../plugin/types.ts'
import { EventPublisher } from '../../../plugin/uploads/events/events.ts'
import { UploadQuota } from '../../../plugin/uploads/limits/upload-quota.ts'
import { skipWithout } from '../../engines/skip.ts'
import { connectTo, startRedis } from '../../engines/redis.ts'
import { build, temporaryDirectory, until } from '../../helper.ts'

const HOUR = 3_600_000
const skip = skipWithout('redis')
/** A header identifies the client here; real apps need something safer. */
const key = ({ headers }: FastifyRequest) => headers['x-user'] as string
const ann = { 'x-user': 'ann' }
const bob = { 'x-user': 'bob' }

t.test('EDGE-73 the quotas of unfinished uploads hold across processes that share Redis', { skip }, async (t) => {
  const redis = await startRedis(t)
  const directory = await temporaryDirectory(t)
  const start = () => build(t, {
    directory,
    expiration: { period: HOUR },
    maxUploads: 3,
    perClient: { key, maxUploads: 2 },
    locker: new RedisLocker({ client: connectTo(t, redis) })
  })
  const [first, second] = [await start(), await start()]
  const uploads = [await first.create(3, ann), await second.create(3, ann)] as const
  for (const { post } of [first, second]) t.equal((await post({ 'upload-length': '3', ...ann })).statusCode, 429)
  await second.create(3, bob)
  for (const { post } of [first, second]) t.equal((await post({ 'upload-length': '3', ...bob })).statusCode, 503)

  t.equal((await second.patch(uploads[0], 0, 'abc', ann)).statusCode, 204)
  await until(async () => (await first.post({ 'upload-length': '3', ...ann })).statusCode === 201)
  t.equal((await second.post({ 'upload-length': '3', ...ann })).statusCode, 503, 'whichever process has finished it')
})

t.test('EDGE-40 the quota of bodies holds across processes that share Redis', { skip }, async (t) => {
  const redis = await startRedis(t)
  const directory = await temporaryDirectory(t)
  const start = () => build(t, {
    directory, perClient: { key, maxBodies: 1 }, locker: new RedisLocker({ client: connectTo(t, redis) })
  })
  const [first, second] = [await start(), await start()]
  const [upload, another] = [await first.create(6), await first.create(6)]
  const { socket } = await first.stall(upload, 0, 6, 'abc', ann)
  await first.untilStored(upload, 3)
  t.match(await second.patch(another, 0, 'abc', ann), { statusCode: 503, body: /FST_TUS_TOO_MANY_BODIES/ })
  t.equal((await second.patch(another, 0, 'abc', bob)).statusCode, 204)
  socket.destroy()
  await until(async () => (await second.patch(another, 3, 'def', ann)).statusCode === 204)
})

t.test('EDGE-40 the bodies of a process that has ended do not count for long', async (t) => {
  const { create, stall, untilStored, patch } = await build(t, { perClient: { key, maxBodies: 1 } })
  const [upload, another] = [await create(6), await create(6)]
  mock.timers.enable({ apis: ['setInterval'] })
  t.teardown(() => mock.timers.reset())
  await stall(upload, 0, 6, 'abc', ann)
  await untilStored(upload, 3)
  const now = Date.now
  let ahead = 50_000
  t.intercept(Date, 'now', { value: () => now() + ahead })
  mock.timers.tick(20_000)
  ahead += 50_000
  t.equal((await patch(another, 0, 'abc', ann)).statusCode, 503, 'a body under way is extended')
  ahead += 50_000
  t.equal((await patch(another, 0, 'abc', ann)).statusCode, 204)
})

t.test('EDGE-73 the creation of a process that has ended does not count for long', async (t) => {
  let isStuck = true
  let go = () => {}
  const stuck = new Promise<void>((resolve) => { go = resolve })
  const { post } = await build(t, {
    expiration: { period: HOUR },
    maxUploads: 1,
    async onUploadCreate () {
      if (!isStuck) return
      isStuck = false
      await stuck
    }
  })
  const first = post({ 'upload-length': '3' })
  await until(() => !isStuck)
  t.equal((await post({ 'upload-length': '3' })).statusCode, 503)
  const now = Date.now
  t.intercept(Date, 'now', { value: () => now() + 90_000 })
  t.equal((await post({ 'upload-length': '3' })).statusCode, 201)
  go()
  await first
})

t.test('a counter that fails refuses what it cannot count, and nothing else', async (t) => {
  let isAvailable = false
  const counter = {
    async add () {
      if (!isAvailable) throw new Error('no connection')
      return undefined
    },
    remove: async () => { throw new Error('no connection') }
  }
  const locker = Object.assign(new MemoryLocker(), { counter })
  const { post, patch, head, create } = await build(t, {
    locker, expiration: { period: HOUR }, maxUploads: 1, perClient: { key, maxBodies: 1 }, namingFunction: () => 'same'
  })
  const refused = await post({ 'upload-length': '3' })
  t.match(refused, { statusCode: 503, body: /FST_TUS_LOCKER_FAILED/ })
  isAvailable = true
  const location = await create(3)
  mock.timers.enable({ apis: ['setInterval'] })
  t.teardown(() => mock.timers.reset())
  isAvailable = false
  t.equal((await head(location)).statusCode, 200)
  t.match(await patch(location, 0, 'abc', ann), { statusCode: 503, body: /FST_TUS_LOCKER_FAILED/ })
})

t.test('a process forgets after 10,000 uploads that it has counted one', async (t) => {
  const added: string[] = []
  const counter = { add: async (entry: string) => { added.push(entry) }, remove: async () => {} } as Counter
  const events = new EventPublisher(Fastify().log)
  const quota = new UploadQuota(resolveSettings({ maxUploads: 1 }), events, counter, '/files', async () => true)
  const find = (id: string) => events.publish('found', { upload: { id, offset: 0 }, request: null })
  for (let i = 0; i <= 10_000; i++) find(String(i))
  find('10000')
  t.equal(added.length, 10_001)
  find('0')
  t.equal(added.at(-1), 'upload 0', 'it counts it again')
  t.ok(quota)
})
