import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { FileStore } from '../../../plugin/index.ts'
import { MinRate } from '../../../plugin/uploads/limits/min-rate.ts'
import { build, temporaryDirectory, until } from '../../helper.ts'

t.test('EDGE-40 the connection of a body below the minimum rate is closed, and its bytes are kept', async (t) => {
  const { create, stall, head } = await build(t, { idleTimeout: 150, minRate: 1000 })
  const location = await create(1_000_000)
  const { socket, response } = await stall(location, 0, 1_000_000, 'a')
  let sent = 1
  const trickle = setInterval(() => { sent += socket.write('a') ? 1 : 0 }, 10)
  t.teardown(() => clearInterval(trickle))
  await t.rejects(response, /no response, but ""|ECONNRESET|EPIPE/, 'no status, after which clients might give up')
  clearInterval(trickle)
  const { headers } = await head(location)
  const offset = Number(headers['upload-offset'])
  t.ok(offset > 1 && offset <= sent, `${offset} of ${sent} bytes`)
})

t.test('EDGE-40 a body that the store holds back is not too slow', async (t) => {
  const directory = await temporaryDirectory(t)
  let release = () => {}
  const store = new FileStore({ directory })
  const openAppend = store.openAppend.bind(store)
  store.openAppend = async (...args) => {
    const append = await openAppend(...args)
    const write = append.write.bind(append)
    append.write = async (...batch) => {
      await new Promise<void>((resolve) => { release = resolve })
      await write(...batch)
    }
    return append
  }
  const { create, stall } = await build(t, { datastore: store, idleTimeout: 30, minRate: 1000 })
  const location = await create(3)
  const { response } = await stall(location, 0, 3, 'abc')
  // Many checks of the watch pass.
  await wait(200)
  release()
  t.equal((await response).status, 204)
})

t.test('EDGE-40 without a minimum rate, a body may be slow', async (t) => {
  const { create, stall, stored } = await build(t, { idleTimeout: 200, minRate: 0 })
  const location = await create(30)
  const { socket, response } = await stall(location, 0, 30, '')
  for (let i = 0; i < 30; i++) {
    await wait(15)
    socket.write('a')
  }
  t.equal((await response).status, 204)
  t.equal((await stored(location)).length, 30)
})

t.test('EDGE-40 the minimum rate applies only while the store does not hold the client back', async (t) => {
  let now = 0
  let check = () => {}
  t.intercept(performance, 'now', { value: () => now })
  const setInterval = (each: () => void) => {
    check = each
    return { unref () {} }
  }
  t.intercept(globalThis, 'setInterval', { value: setInterval })
  const minRate = new MinRate({ minRate: 1000, idleTimeout: 100 })
  let closed = 0
  const body = minRate.measure(() => { closed++ })
  const pass = (ms: number) => { now += ms }

  pass(100)
  check()
  body.stalled(0)
  pass(90)
  body.resumed()
  pass(10)
  body.stalled(10)
  check()
  t.equal(closed, 0, 'ten bytes in the ten ms available')

  for (let i = 0; i < 3; i++) {
    pass(100)
    check()
  }
  t.equal(closed, 0, 'no bytes while it is held back all the time')

  body.resumed()
  pass(100)
  body.stalled(99)
  body.resumed()
  check()
  t.equal(closed, 1, 'fewer bytes than it could send')
})

t.test('EDGE-40 slow bodies are closed a few at a time, and never after they have ended', async (t) => {
  const bodies = new MinRate({ minRate: 1000, idleTimeout: 5 })
  const ends: (() => void)[] = []
  const closed: number[] = []
  let inThisTurn = 0
  let most = 0
  for (let number = 0; number < 120; number++) {
    const body = bodies.measure(() => {
      closed.push(number)
      if (inThisTurn++ === 0) queueMicrotask(() => { inThisTurn = 0 })
      most = Math.max(most, inThisTurn)
      ends[number]?.()
      if (number === 0) ends[119]?.()
    })
    ends.push(() => bodies.ended(body))
  }
  await until(() => closed.length === 119)
  t.same(closed, Array.from({ length: 119 }, (_, number) => number))
  t.equal(most, 50)
})
