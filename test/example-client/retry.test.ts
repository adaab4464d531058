import t from 'tap'
import { delayOf, judge, patienceAfter } from '../../example-client/src/retry.ts'

t.test('temporary errors are retried', async t => {
  t.same([0, 409, 423, 429, 460, 500, 502, 503, 507].map(judge).map(verdict => 'wait' in verdict && verdict.wait),
    ['unreachable', 'busy', 'busy', 'busy', 'busy', 'server', 'server', 'server', 'full'])
})

t.test('permanent errors are failures with a reason', async t => {
  t.same(judge(404), { failure: { reason: 'gone' } })
  t.same(judge(410), { failure: { reason: 'gone' } })
  t.same(judge(413), { failure: { reason: 'tooLarge' } })
  t.same(judge(403), { failure: { reason: 'refused', status: 403 } })
})

t.test('the delay between attempts grows to ten seconds or a given limit', async t => {
  t.same([0, 1, 2, 3, 4, 50, 5000].map(attempt => delayOf(attempt)),
    [1000, 2000, 4000, 8000, 10_000, 10_000, 10_000])
  t.same([4, 5, 6, 50].map(attempt => delayOf(attempt, 60_000)), [16_000, 32_000, 60_000, 60_000])
})

t.test('the limit of a silent connection doubles after each reconnection', async t => {
  t.same([0, 1, 2, 10].map(patienceAfter), [10_000, 20_000, 40_000, 160_000])
})
