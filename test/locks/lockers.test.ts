import { MemoryLocker as TusMemoryLocker } from '@tus/server'
import t from 'tap'
import { MemoryLocker } from '../../plugin/index.ts'
import type { Locker } from '../../plugin/index.ts'
import { build, until } from '../helper.ts'

const lockers: Array<[name: string, make: () => Locker]> = [
  ['MemoryLocker of @tus/server', () => new TusMemoryLocker()],
  ['MemoryLocker', () => new MemoryLocker()]
]

for (const [name, make] of lockers) {
  t.test(`LOCK-01 ${name} admits one writer at a time`, async (t) => {
    const { create, patch, head, stored } = await build(t, { locker: make() })
    const location = await create(6)
    const responses = await Promise.all([patch(location, 0, 'abcdef'), patch(location, 0, 'ABCDEF')])
    const [winner, loser] = responses.map(({ statusCode }) => statusCode).sort()
    t.equal(winner, 204)
    t.ok(loser === 409 || loser === 423, 'the other request came too late, or was displaced before it began')
    t.equal((await stored(location)).toString(), responses[0].statusCode === 204 ? 'abcdef' : 'ABCDEF')
    t.equal((await head(location)).headers['upload-offset'], '6')
  })

  t.test(`LOCK-02 LOCK-03 with ${name}, a later request ends a stalled body`, async (t) => {
    const { create, stall, untilStored, head, patch, request } = await build(t, { locker: make() })
    const location = await create(9)
    const first = await stall(location, 0, 9, 'abc')
    await untilStored(location, 3)
    t.match(await head(location), { statusCode: 200, headers: { 'upload-offset': '3' } })
    const displaced = await first.response
    t.match(displaced, { status: 423, headers: { connection: 'close', 'upload-offset': '3', 'retry-after': '1' } })
    t.equal(JSON.parse(displaced.body).code, 'FST_TUS_DISPLACED')

    const second = await stall(location, 3, 6, 'def')
    await untilStored(location, 6)
    t.equal((await patch(location, 6, 'gh')).statusCode, 204)
    t.equal((await second.response).status, 423)

    const third = await stall(location, 8, 1, '', { expect: '100-continue' })
    await third.wanted
    t.equal((await request('DELETE', location)).statusCode, 204)
    t.equal((await third.response).status, 423)
    t.equal((await head(location)).statusCode, 404)
  })

  t.test(`LOCK-04 with ${name}, waiting ends with 423 after lockTimeout`, async (t) => {
    const locker = make()
    const { create, head, patch, request } = await build(t, { locker, lockTimeout: 20 })
    const location = await create(3)
    const lock = locker.newLock(location.slice('/files/'.length))
    await lock.lock(new AbortController().signal, () => {})
    for (const response of [await head(location), await patch(location, 0, 'abc'), await request('DELETE', location)]) {
      t.match(response, { statusCode: 423, headers: { 'retry-after': '1', 'upload-offset': undefined } })
      if (response.body !== '') t.match(response.json(), { code: 'FST_TUS_LOCKED' })
    }
    await lock.unlock()
    t.equal((await patch(location, 0, 'abc')).statusCode, 204)
  })
}

t.test('LOCK-04 a timeout of the locker itself is a 423', async (t) => {
  const locker = new TusMemoryLocker({ acquireLockTimeout: 1 })
  const { create, head, logs } = await build(t, { locker, lockTimeout: 60_000 })
  const location = await create(3)
  const lock = locker.newLock(location.slice('/files/'.length))
  await lock.lock(new AbortController().signal, () => {})
  t.match(await head(location), { statusCode: 423, headers: { 'retry-after': '1' } })
  await lock.unlock()
  t.same(logs.filter(({ level }) => level >= 50), [])
})

t.test('EDGE-61 a request beyond the allowed number of waiters is refused at once', async (t) => {
  const locker = new MemoryLocker({ maxWaiters: 1 })
  const { create, head } = await build(t, { locker, lockTimeout: 3_600_000 })
  const location = await create(3)
  const lock = locker.newLock(location.slice('/files/'.length))
  await lock.lock(new AbortController().signal, () => {})
  const responses = [head(location), head(location), head(location)]
  t.equal((await Promise.race(responses)).statusCode, 423)
  await lock.unlock()
  t.same((await Promise.all(responses)).map(({ statusCode }) => statusCode).sort(), [200, 423, 423])
})

const secret = 'connect ECONNREFUSED 10.0.0.7'
const fail = () => { throw new Error(secret) }
const reject = () => Promise.reject(new Error(secret))
const fine = async () => {}
const broken: Array<[name: string, make: () => Locker, canLock?: true]> = [
  ['cannot create a lock', () => ({ newLock: fail })],
  ['throws in lock()', () => ({ newLock: () => ({ lock: fail, unlock: fine }) })],
  ['rejects in lock()', () => ({ newLock: () => ({ lock: reject, unlock: fine }) })],
  ['fails in tryLock()', () => ({ newLock: () => ({ tryLock: fail, lock: fine, unlock: fine }) })],
  ['throws in unlock()', () => ({ newLock: () => ({ lock: fine, unlock: fail }) }), true],
  ['rejects in unlock()', () => ({ newLock: () => ({ lock: fine, unlock: reject }) }), true]
]
for (const [name, make, canLock = false] of broken) {
  t.test(`EDGE-80 a locker that ${name} is logged as an error, and clients retry`, async (t) => {
    const directory = t.testdir()
    const working = await build(t, { directory })
    const location = await working.create(3)
    const { post, patch, head, request, logs } = await build(t, { directory, locker: make() })
    const responses = [
      await post({ 'upload-length': '3' }),
      await patch(location, 0, 'ab'),
      await head(location),
      await request('DELETE', location)
    ]
    for (const response of responses) t.notMatch(response.body, '10.0.0.7')
    const errors = () => logs.filter(({ level }) => level === 50)
    // Also that of the sweep at the start.
    await until(() => errors().length >= 5)
    t.equal(errors().length, 5)
    t.match(JSON.stringify(errors()), secret)
    if (canLock) {
      t.same(responses.map(({ statusCode }) => statusCode), [201, 204, 200, 204], 'the operation itself succeeded')
      return
    }
    // After a HEAD that fails with 5xx, tus-js-client starts a new upload.
    t.same(responses.map(({ statusCode }) => statusCode), [503, 503, 423, 503])
    for (const { headers } of responses) t.equal(headers['retry-after'], '1')
    t.equal(responses[0]?.json().code, 'FST_TUS_LOCKER_FAILED')
  })
}

t.test('a locker is closed after the app, and its failure does not keep the app from closing', async (t) => {
  let isClosed = false
  const locker: Locker = {
    newLock: (id) => memory.newLock(id),
    close: async () => {
      isClosed = true
      throw new Error('no connection')
    }
  }
  const memory = new MemoryLocker()
  const { app, create, logs } = await build(t, { locker })
  await create(3)
  t.notOk(isClosed)
  await app.close()
  t.ok(isClosed)
  t.match(logs.filter(({ level }) => level === 50), [{ msg: 'locker not closed', err: { message: 'no connection' } }])
})
