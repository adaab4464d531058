import t from 'tap'
import type { Test } from 'tap'
import { RedisLocker } from '../../../plugin/locks/redis/index.ts'
import type { Counter } from '../../../plugin/types.ts'
import { MemoryCounter } from '../../../plugin/uploads/limits/memory-counter.ts'
import { skipWithout } from '../../engines/skip.ts'
import { connectTo, startRedis } from '../../engines/redis.ts'
import { until } from '../../helper.ts'

const HOUR = 3_600_000

async function startRedisCounters (t: Test): Promise<() => Counter> {
  const redis = await startRedis(t)
  return () => new RedisLocker({ client: connectTo(t, redis) }).counter
}

const kinds: Array<[name: string, skip: false | string, start: (t: Test) => Promise<() => Counter>]> = [
  ['MemoryCounter', false, async () => {
    const counter = new MemoryCounter()
    return () => counter
  }],
  ['the counter of a RedisLocker', skipWithout('redis'), startRedisCounters]
]

for (const [name, skip, start] of kinds) {
  t.test(`${name} adds an entry to all groups, or to none`, { skip }, async (t) => {
    const open = await start(t)
    const [first, second] = [open(), open()]
    const groups = [{ name: 'all', max: 3 }, { name: 'of ann', max: 2 }]
    t.equal(await first.add('a', groups, HOUR), undefined)
    t.equal(await second.add('b', groups, HOUR), undefined)
    t.equal(await second.add('a', groups, HOUR), undefined, 'an entry counts once')
    t.same(await first.add('c', groups, HOUR), { name: 'of ann', stale: [] })
    t.equal(await second.add('c', [{ name: 'all', max: 3 }], HOUR), undefined)
    t.same(await first.add('d', groups, HOUR), { name: 'all', stale: [] })
    t.equal(await first.add('d', [{ name: 'all', max: Infinity }], HOUR), undefined, 'without a limit')
    await second.remove('c')
    await second.remove('d')
    await second.remove('a')
    await second.remove('none')
    t.equal(await first.add('e', groups, HOUR), undefined, 'a removed entry counts in none of its groups')
    t.same(await first.add('f', groups, HOUR), { name: 'of ann', stale: [] })
  })

  t.test(`${name} counts concurrent additions exactly`, { skip }, async (t) => {
    const open = await start(t)
    const counters = [open(), open(), open()] as const
    const added = await Promise.all(Array.from({ length: 60 }, async (_, i) => {
      return await (counters[i % 3] as Counter).add(String(i), [{ name: 'all', max: 10 }], HOUR)
    }))
    t.equal(added.filter((full) => full === undefined).length, 10)
  })

  t.test(`${name} reports entries that were not extended`, { skip }, async (t) => {
    const counter = (await start(t))()
    const all = [{ name: 'all', max: 2 }]
    await counter.add('a', all, 1)
    await counter.add('b', all, HOUR)
    await until(async () => (await counter.add('c', all, HOUR))?.stale.length === 1)
    t.same(await counter.add('c', all, HOUR), { name: 'all', stale: ['a'] })
    await counter.add('a', all, HOUR)
    t.same(await counter.add('c', all, HOUR), { name: 'all', stale: [] })
  })
}
