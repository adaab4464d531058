import { Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { errors } from '../../../plugin/errors.ts'
import type { Body } from '../../../plugin/uploads/body/body.ts'
import { BodyPump, type PumpOptions } from '../../../plugin/uploads/body/pump.ts'
import { ReleaseSignal } from '../../../plugin/uploads/release-signal.ts'
import { until } from '../../helper.ts'

const MIB = 1024 * 1024

/** A body of the buffers that are pushed to it, and a store that takes one batch at a time. */
function rig (options: Partial<PumpOptions> = {}) {
  const stream = new Readable({ read () {} })
  const told = { accepted: 0, closed: 0 }
  const body: Body = {
    stream,
    length: undefined,
    accept: () => {},
    isExclusive: () => false,
    release: () => {},
    close: () => {
      told.closed++
      stream.destroy()
    }
  }
  const batches: Buffer[][] = []
  const stored = () => Buffer.concat(batches.flat()).toString()
  const signal = new ReleaseSignal()
  const pump = new BodyPump(body, {
    limit: Infinity,
    idleTimeout: 0,
    release: signal,
    releasesBuffers: false,
    write: async (buffers) => { batches.push(buffers) },
    ...options
  })
  const start = () => pump.run(() => { told.accepted++ })
  return { stream, told, body, batches, stored, signal, start }
}

t.test('a whole body is written in the order in which it came', async (t) => {
  const { stream, stored, start, told } = rig()
  const pumped = start()
  for (const piece of ['a', 'b', 'c']) stream.push(piece)
  stream.push(null)
  t.same(await pumped, { outcome: 'complete' })
  t.equal(stored(), 'abc')
  t.equal(told.accepted, 1, 'the client was told once that the body is wanted')
})

t.test('what comes while a batch is written is the next batch, and one write is under way at a time', async (t) => {
  let release = () => {}
  let under = 0
  const sizes: number[] = []
  const { stream, start } = rig({
    write: async (buffers, bytes) => {
      t.equal(++under, 1)
      sizes.push(bytes)
      t.equal(Buffer.concat(buffers).length, bytes)
      await new Promise<void>((resolve) => { release = resolve })
      under--
    }
  })
  const pumped = start()
  stream.push(Buffer.alloc(MIB))
  await turn()
  for (const piece of ['two', 'three']) stream.push(piece)
  stream.push(null)
  await turn()
  release()
  await turn()
  release()
  t.same(await pumped, { outcome: 'complete' })
  t.same(sizes, [MIB, 8])
})

t.test('what a slow client sends is written before the rest is there', async (t) => {
  const { stream, batches, stored, start } = rig()
  const pumped = start()
  for (const piece of ['ab', 'c']) stream.push(piece)
  await until(() => batches.length > 0)
  t.equal(stored(), 'abc', 'what came together is written together')
  stream.push('d')
  await until(() => stored() === 'abcd')
  stream.push(null)
  t.same(await pumped, { outcome: 'complete' })
})

t.test('what comes during a write is written too, though nothing comes behind it', async (t) => {
  let release = () => {}
  const sizes: number[] = []
  const { stream, start } = rig({
    write: (_buffers, bytes) => {
      sizes.push(bytes)
      return new Promise((resolve) => { release = resolve })
    }
  })
  const pumped = start()
  stream.push(Buffer.alloc(MIB))
  await until(() => sizes.length === 1)
  stream.push('abc')
  await turn()
  release()
  await until(() => sizes.length === 2)
  release()
  stream.push(null)
  t.same(await pumped, { outcome: 'complete' })
  t.same(sizes, [MIB, 3])
})

t.test('EDGE-44 a client is held back while the store is behind, in bytes and in buffers', async (t) => {
  for (const piece of [Buffer.alloc(256 * 1024), Buffer.alloc(1)]) {
    let release = () => {}
    const { stream, start } = rig({ write: () => new Promise((resolve) => { release = resolve }) })
    const pumped = start()
    let pushed = 0
    while (!stream.isPaused()) {
      stream.push(piece)
      pushed++
      await turn()
    }
    const full = piece.length === 1 ? 1024 : 4
    t.ok(pushed > full && pushed <= 2 * full, 'one batch is being written, the next one is full')
    release()
    await turn()
    t.notOk(stream.isPaused(), 'it goes on once there is room')
    stream.push(null)
    release()
    t.same(await pumped, { outcome: 'complete' })
  }
})

t.test('PATCH-08 not a byte goes beyond the limit', async (t) => {
  const { stream, stored, start } = rig({ limit: 4 })
  const pumped = start()
  stream.push('abc')
  await turn()
  stream.push('de')
  t.same(await pumped, { outcome: 'overrun' })
  t.notOk(stored().includes('e'))
  t.ok(stream.isPaused(), 'and no more is read')
})

t.test('PATCH-06 what came of a body that breaks off is written', async (t) => {
  const { stream, stored, start } = rig()
  const pumped = start()
  stream.push('abc')
  await turn()
  stream.destroy(new Error('ECONNRESET'))
  t.match(await pumped, { outcome: 'stopped', error: { code: 'FST_TUS_INTERRUPTED' } })
  t.equal(stored(), 'abc')
})

t.test('a body that broke off before it was wanted has ended', async (t) => {
  const { stream, start, told } = rig()
  stream.destroy()
  t.match(await start(), { outcome: 'stopped', error: { code: 'FST_TUS_INTERRUPTED' } })
  t.equal(told.accepted, 0)
})

t.test('a body that was read before is complete', async (t) => {
  const { stream, start } = rig()
  stream.push(null)
  stream.resume()
  await new Promise((resolve) => stream.on('end', resolve))
  t.same(await start(), { outcome: 'complete' })
})

t.test('LOCK-02 a body that is displaced is written as far as it came', async (t) => {
  const { stream, stored, signal, start } = rig()
  const pumped = start()
  stream.push('abc')
  await turn()
  stream.push('de')
  signal.request(new errors.Displaced())
  t.match(await pumped, { outcome: 'stopped', error: { code: 'FST_TUS_DISPLACED' } })
  t.equal(stored(), 'abcde')
})

t.test('a body that is displaced when all of it is here is complete', async (t) => {
  const { stream, stored, signal, start } = rig()
  Object.assign(stream, { complete: true })
  signal.request(new errors.Displaced())
  stream.push('abc')
  stream.push(null)
  t.same(await start(), { outcome: 'complete' })
  t.equal(stored(), 'abc')
})

t.test('PATCH-11 a store that fails ends the body with its error', async (t) => {
  const { stream, start } = rig({ write: async () => { throw Object.assign(new Error('full'), { code: 'ENOSPC' }) } })
  const pumped = start()
  stream.push('abc')
  t.match(await pumped, { outcome: 'failed', error: { code: 'ENOSPC' } })
  t.notOk(stream.destroyed, 'the connection lives on for the answer')
})

t.test('a store that fails with the last bytes of a body fails it', async (t) => {
  const { stream, start } = rig({ write: async () => { await turn(); throw new Error('disk') } })
  const pumped = start()
  stream.push('abc')
  stream.push(null)
  t.match(await pumped, { outcome: 'failed', error: { message: 'disk' } })
})

t.test('PATCH-07 a body that stops coming keeps what came, and its connection is closed', async (t) => {
  const { stream, stored, start, told } = rig({ idleTimeout: 20 })
  const pumped = start()
  stream.push('abc')
  t.match(await pumped, { outcome: 'stopped', error: { code: 'FST_TUS_INTERRUPTED' } })
  t.equal(stored(), 'abc')
  t.equal(told.closed, 1)
})

t.test('a client that is held back is not idle', async (t) => {
  let release = () => {}
  const { stream, start, told } = rig({
    idleTimeout: 10,
    write: () => new Promise((resolve) => { release = resolve })
  })
  const pumped = start()
  stream.push(Buffer.alloc(MIB))
  await turn()
  stream.push(Buffer.alloc(MIB))
  await turn()
  t.ok(stream.isPaused())
  await new Promise((resolve) => setTimeout(resolve, 50))
  t.equal(told.closed, 0)
  release()
  await turn()
  stream.push(null)
  release()
  t.same(await pumped, { outcome: 'complete' })
})

t.test('a body that is displaced while it is longer than it may be is that', async (t) => {
  const { stream, signal, start } = rig({ limit: 2 })
  signal.request(new errors.Displaced())
  stream.push('abc')
  t.same(await start(), { outcome: 'overrun' })
})
