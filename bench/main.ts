/** Measures the cost of resumable uploads on several servers side by side. See README.md in this directory. */
import { parseArgs } from 'node:util'
import type { Work } from './bench.ts'
import { missingEngines } from './engines.ts'
import { fastifyStatic, findPeers } from './peers.ts'
import { resultsOn, writeResults } from './report.ts'
import { s3PeersOf } from './s3-peers.ts'
import { renderCase } from './table.ts'
import { w1, w2, w3 } from './works/appends.ts'
import { w4 } from './works/creations.ts'
import { w6 } from './works/downloads.ts'
import { w7 } from './works/open-uploads.ts'
import { w5 } from './works/resumptions.ts'
import { s3Works } from './works/s3.ts'
import { w8 } from './works/sweeps.ts'
import { t1 } from './works/takeovers.ts'

const works: Work[] = [w1, w2, w3, w4, w5, w6, w7, w8, ...s3Works, t1]

const { values: { quick, large, write, ...values }, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string' },
    quick: { type: 'boolean', default: false },
    large: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false }
  }
})
const rounds = Number(values.rounds ?? (quick ? 1 : 5))
if (!Number.isSafeInteger(rounds) || rounds < 1) throw new Error('--rounds must be a positive integer')
const unknown = positionals.filter((id) => !works.some((work) => work.id === id))
const known = works.map(({ id }) => id).join(', ')
if (unknown.length > 0) throw new Error(`Unknown work ${unknown.join(', ')}, expected ${known}`)
if (quick && write) throw new Error('--quick cannot be combined with --write: its figures are too rough')
if (process.platform !== 'linux') throw new Error('the benchmark requires Linux, because it reads /proc')

const { peers, leftOut } = await findPeers()
const compared = [...peers, fastifyStatic, ...missingEngines.length === 0 ? s3PeersOf(peers) : []]
for (const { id, needsEngines = false, run } of works) {
  if (positionals.length > 0 && !positionals.includes(id)) continue
  if (needsEngines && missingEngines.length > 0) {
    const reason = `${id} needs ${missingEngines.join(' and ')}: run "npm run engines"`
    if (positionals.length > 0) throw new Error(reason)
    process.stderr.write(`${reason}\n`)
    continue
  }
  const cases = await run({ work: id, rounds, quick, large, peers, leftOut })
  for (const measured of cases) console.log(`${renderCase(measured)}\n`)
  // After each work, so that a later failure does not lose the results.
  if (write) await writeResults(resultsOn(compared, cases), works.map((work) => work.id))
}
