/**
 * Generated requests near the grammar, over raw sockets. Every response is a known error, or a 4xx of the framework;
 * none is missing; a refused request leaves nothing. `RUNS` sets their number (default 1000); `SEED` repeats a run, and
 * `PATHS` one request of it, as printed by a failure.
 */
import { setTimeout as wait } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import { check } from './check.ts'
import { hostileRequest } from './grammar.ts'
import { listen, uploads } from './target.ts'

const { RUNS = '1000', SEED, PATHS } = process.env

t.test(`EDGE-01 to EDGE-23: ${RUNS} hostile requests each get a correct response`, { timeout: 0 }, async (t) => {
  const target = await listen(t)
  const statuses = new Map<string, number>()
  let run = 0
  await fc.assert(fc.asyncProperty(hostileRequest, async (request) => {
    const response = await check(target, String(run++), request)
    const status = response === undefined ? 'none' : `${response.status}`
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
  }), {
    numRuns: Number(RUNS),
    includeErrorInReport: true,
    // Each attempt to shrink may hang as well: only when a run is repeated.
    endOnFailure: SEED === undefined,
    ...(SEED === undefined ? {} : { seed: Number(SEED) }),
    ...(PATHS === undefined ? {} : { path: PATHS })
  })
  t.comment(JSON.stringify(Object.fromEntries([...statuses].sort())))
  if (PATHS === undefined) t.ok(['201', '204'].every((status) => statuses.has(status)), 'some succeed')

  // An interrupted upload is kept until it expires; the rest of its body is deleted after its request.
  await wait(0)
  await target.close()
  // Prepared uploads are deleted by hand, even while an interrupted request still uses them.
  const left = target.files().filter((name) => !Object.keys(uploads).some((ready) => name.startsWith(`${ready}-`)))
  for (const name of left) {
    const pair = name.endsWith('.json') ? name.slice(0, -'.json'.length) : `${name}.json`
    if (!left.includes(pair)) t.fail(`an incomplete upload was left: ${name}`)
  }
  t.equal(target.logs.filter(({ level }) => level >= 50).length, 0, 'no server error is logged')
})
