/**
 * Requests that are made up near the grammar, over bare sockets. Every answer is one of the table, or a 4xx of the
 * framework's; none is missing; nothing is left of what was refused. `RUNS` says how many (default 1000); `SEED`
 * repeats a run, and `PATHS` one request of it, as a failure prints them.
 */
import { setTimeout as wait } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import { check } from './check.ts'
import { hostileRequest } from './grammar.ts'
import { listen, uploads } from './target.ts'

const { RUNS = '1000', SEED, PATHS } = process.env

t.test(`EDGE-01 to EDGE-23: ${RUNS} hostile requests are each answered as they should be`, { timeout: 0 }, async (t) => {
  const target = await listen(t)
  const statuses = new Map<string, number>()
  let run = 0
  await fc.assert(fc.asyncProperty(hostileRequest, async (request) => {
    const answer = await check(target, String(run++), request)
    const status = answer === undefined ? 'none' : `${answer.status}`
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
  }), {
    numRuns: Number(RUNS),
    includeErrorInReport: true,
    // Each try to find a smaller one may hang as well: only where a run is repeated.
    endOnFailure: SEED === undefined,
    ...(SEED === undefined ? {} : { seed: Number(SEED) }),
    ...(PATHS === undefined ? {} : { path: PATHS })
  })
  t.comment(JSON.stringify(Object.fromEntries([...statuses].sort())))
  if (PATHS === undefined) t.ok(['201', '204'].every((status) => statuses.has(status)), 'some are right')

  // A body that was cut off is kept until it expires, as a whole upload; the rest of it is deleted behind its request.
  await wait(0)
  await target.close()
  // Those that lay ready are deleted by hand, also below a request that was cut off and is not done with them yet.
  const left = target.files().filter((name) => !Object.keys(uploads).some((ready) => name.startsWith(`${ready}-`)))
  for (const name of left) {
    const pair = name.endsWith('.json') ? name.slice(0, -'.json'.length) : `${name}.json`
    if (!left.includes(pair)) t.fail(`half an upload was left: ${name}`)
  }
  t.equal(target.logs.filter(({ level }) => level >= 50).length, 0, 'nothing failed here')
})
