import t from 'tap'
import {
  isAskable, isAtRisk, isOver, isResumable, isRunning, nextToStart, sumUp, wholeOf
} from '../../example-client/src/queue.ts'
import type { Queued } from '../../example-client/src/queue.ts'
import type { State } from '../../example-client/src/state.ts'

const all = (...states: State[]) => states.map(state => ({ state }))

t.test('the oldest queued uploads start, up to the limit', async t => {
  const items = all('done', 'queued', 'paused', 'queued', 'queued')
  t.same(nextToStart(items, 2), [items[1], items[3]])
})

t.test('an upload that waits for the network keeps its slot', async t => {
  t.same(nextToStart(all('waiting', 'joining', 'queued'), 2), [])
  t.equal(nextToStart(all('uploading', 'queued', 'queued'), 2).length, 1)
  t.equal(nextToStart(all('uploading', 'uploading', 'uploading', 'queued'), 2).length, 0)
})

t.test('states are running, over, or neither', async t => {
  t.same(all('uploading', 'waiting', 'joining', 'queued', 'done').map(isRunning), [true, true, true, false, false])
  t.same(all('done', 'cancelled', 'failed', 'paused').map(isOver), [true, true, false, false])
})

t.test('a stopped upload can be resumed unless it would fail again', async t => {
  t.same(all('ready', 'paused', 'failed', 'queued', 'uploading', 'missing', 'done')
    .map(({ state }) => isResumable({ state, failure: null })), [true, true, true, false, false, false, false])
  t.same((['gone', 'tooLarge', 'file', 'foreign'] as const)
    .map(reason => isResumable({ state: 'failed', failure: { reason } })),
  [true, false, false, false])
})

t.test('the browser can ask for a file again after a refusal', async t => {
  t.same((['permission', 'refused', 'file', 'changed', null] as const)
    .map(missing => isAskable({ state: 'missing', missing })), [true, true, false, false, false])
  t.equal(isAskable({ state: 'paused', missing: 'permission' }), false)
})

t.test('a running upload is at risk if its file must be chosen again', async t => {
  t.same((['copy', 'handle', 'record', null, undefined] as const).map(kept => isAtRisk({ state: 'queued', kept })),
    [false, false, true, true, true])
  t.same(all('uploading', 'waiting', 'paused', 'done').map(({ state }) => isAtRisk({ state, kept: null })),
    [true, true, false, false])
})

t.test('the sum excludes uploads that this tab does not send', async t => {
  const item = (state: State, rest: Partial<Queued> = {}): Omit<Queued, 'begin'> =>
    ({ state, size: 100, accepted: 10, sent: 20, speed: null, ...rest })
  t.same(sumUp([item('uploading', { speed: 5 }), item('done', { accepted: 100, sent: 100 }), item('elsewhere'),
    item('missing'), item('uploading', { speed: 7 })]),
  { count: 3, done: 1, size: 300, accepted: 120, sent: 140, speed: 12, busy: true })
  t.same(sumUp([item('paused')]), { count: 1, done: 0, size: 100, accepted: 10, sent: 20, speed: null, busy: false })
  t.equal(sumUp([item('queued')]).busy, true)
  t.same(sumUp([]), { count: 0, done: 0, size: 0, accepted: 0, sent: 0, speed: null, busy: false })
})

t.test('empty files are complete when all are finished, others by their bytes', async t => {
  t.equal(wholeOf({ size: 300, done: 0, count: 2 }), 300)
  t.equal(wholeOf({ size: 0, done: 1, count: 2 }), 1)
  t.equal(wholeOf({ size: 0, done: 2, count: 2 }), 0)
})
