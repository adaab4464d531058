import { Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { errors } from '../../../plugin/errors.ts'
import type { Body } from '../../../plugin/uploads/body/body.ts'
import { BodyPump, type PumpOptions } from '../../../plugin/uploads/body/pump.ts'
import { ReleaseSignal } from '../../../plugin/uploads/locking/release-signal.ts'
import { until } from '../../helper.ts'

const MIB = 1024 * 1024

/** A body fed by pushing buffers to its stream, and a store that accepts one batch at a time. */
function rig (options: Partial<PumpOptions> = {}) {
  const stream = new Readable({ read () {} })
  const calls = { accepted: 0, closed: 0 }
  const body: Body = {
    stream,
    length: undefined,
    accept: () => {},
    isExclusive: () => false,
    release: () => {},
    close: () => {
      calls.closed++
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
  const start = () => pump.run(() => { calls.accepted++ })
  return { stream, calls, body, batches, stored, signal, start }
}

t.test('a complete body is written in the order of arrival', async (t) => {
  const { stream, stored, start, calls } = rig()
  const pumped = start()
  for (const piece of ['a', 'b', 'c']) stream.push(piece)
  stream.push(null)
  t.same(await pumped, { outcome: 'complete' })
  t.equal(stored(), 'abc')
  t.equal(calls.accepted, 1, 'the body is accepted once')
})

t.test('bytes that arrive during a write form the next batch, and one write runs at a time', async (t) => {
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

t.test('the bytes of a slow client are written before the rest arrives', async (t) => {
  const { stream, batches, stored, start } = rig()
  const pumped = start()
  for (const piece of ['ab', 'c']) stream.push(piece)
  await until(() => batches.length > 0)
  t.equal(stored(), 'abc', 'bytes that arrive together are written together')
  stream.push('d')
  await until(() => stored() === 'abcd')
  stream.push(null)
  t.same(await pumped, { outcome: 'complete' })
})

t.test('bytes that arrive during a write are written even if no more follow', async (t) => {
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

t.test('EDGE-44 reading pauses while the store lags, by bytes and by buffers', async (t) => {
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
    t.ok(pushed > full && pushed <= 2 * full, 'one batch is being written, and the next one is full')
    release()
    await turn()
    t.notOk(stream.isPaused(), 'reading resumes once there is room')
    stream.push(null)
    release()
    t.same(await pumped, { outcome: 'complete' })
  }
})

t.test('PATCH-08 no byte beyond the limit is written', async (t) => {
  const { stream, stored, start } = rig({ limit: 4 })
  const pumped = start()
  stream.push('abc')
  await turn()
  stream.push('de')
  t.same(await pumped, { outcome: 'overrun' })
  t.notOk(stored().includes('e'))
  t.ok(stream.isPaused(), 'reading has stopped')
})

t.test('PATCH-06 the bytes of an interrupted body are written', async (t) => {
  const { stream, stored, start } = rig()
  const pumped = start()
  stream.push('abc')
  await turn()
  stream.destroy(new Error('ECONNRESET'))
  t.match(await pumped, { outcome: 'stopped', error: { code: 'FST_TUS_INTERRUPTED' } })
  t.equal(stored(), 'abc')
})

t.test('a body that is interrupted before it is accepted has ended', async (t) => {
  const { stream, start, calls } = rig()
  stream.destroy()
  t.match(await start(), { outcome: 'stopped', error: { code: 'FST_TUS_INTERRUPTED' } })
  t.equal(calls.accepted, 0)
})

t.test('a body that was already read is complete', async (t) => {
  const { stream, start } = rig()
  stream.push(null)
  stream.resume()
  await new Promise((resolve) => stream.on('end', resolve))
  t.same(await start(), { outcome: 'complete' })
})

t.test('LOCK-02 the received bytes of a displaced body are written', async (t) => {
  const { stream, stored, signal, start } = rig()
  const pumped = start()
  stream.push('abc')
  await turn()
  stream.push('de')
  signal.request(new errors.Displaced())
  t.match(await pumped, { outcome: 'stopped', error: { code: 'FST_TUS_DISPLACED' } })
  t.equal(stored(), 'abcde')
})

t.test('a body that is displaced after its last byte arrived is complete', async (t) => {
  const { stream, stored, signal, start } = rig()
  Object.assign(stream, { complete: true })
  signal.request(new errors.Displaced())
  stream.push('abc')
  stream.push(null)
  t.same(await start(), { outcome: 'complete' })
  t.equal(stored(), 'abc')
})

t.test('PATCH-11 an error of the store ends the body', async (t) => {
  const { stream, start } = rig({ write: async () => { throw Object.assign(new Error('full'), { code: 'ENOSPC' }) } })
  const pumped = start()
  stream.push('abc')
  t.match(await pumped, { outcome: 'failed', error: { code: 'ENOSPC' } })
  t.notOk(stream.destroyed, 'the connection stays open for the response')
})

t.test('an error of the store during the last write ends the body', async (t) => {
  const { stream, start } = rig({ write: async () => { await turn(); throw new Error('disk') } })
  const pumped = start()
  stream.push('abc')
  stream.push(null)
  t.match(await pumped, { outcome: 'failed', error: { message: 'disk' } })
})

t.test('PATCH-07 an idle body keeps its bytes, and its connection is closed', async (t) => {
  const { stream, stored, start, calls } = rig({ idleTimeout: 20 })
  const pumped = start()
  stream.push('abc')
  t.match(await pumped, { outcome: 'stopped', error: { code: 'FST_TUS_INTERRUPTED' } })
  t.equal(stored(), 'abc')
  t.equal(calls.closed, 1)
})

t.test('a paused client does not count as idle', async (t) => {
  let release = () => {}
  const { stream, start, calls } = rig({
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
  t.equal(calls.closed, 0)
  release()
  await turn()
  stream.push(null)
  release()
  t.same(await pumped, { outcome: 'complete' })
})

t.test('a displaced body beyond the limit is reported as too long', async (t) => {
  const { stream, signal, start } = rig({ limit: 2 })
  signal.request(new errors.Displaced())
  stream.push('abc')
  t.same(await start(), { outcome: 'overrun' })
})
