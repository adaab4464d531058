/** What servers take for the work of resumable uploads, side by side in one run. See README.md beside this file. */
import { writeFile } from 'node:fs/promises'
import { cpus, release, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Work } from './bench.ts'
import { GIB } from './bytes.ts'
import { findPeers } from './peers.ts'
import type { Results } from './results.ts'
import { root } from './root.ts'
import { renderCase, renderResults } from './table.ts'
import { w1, w2, w3 } from './works/appends.ts'
import { w4 } from './works/creations.ts'
import { w5 } from './works/resumptions.ts'

const works: Work[] = [w1, w2, w3, w4, w5]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string' },
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false }
  }
})
const { quick } = values
const rounds = Number(values.rounds ?? (quick ? 2 : 5))
if (!Number.isSafeInteger(rounds) || rounds < 1) throw new Error('--rounds must be a whole number above 0')
const unknown = positionals.filter((id) => !works.some((work) => work.id === id))
if (unknown.length > 0) throw new Error(`${unknown.join(', ')}: there is only ${works.map(({ id }) => id).join(', ')}`)
if (process.platform !== 'linux') throw new Error('the benchmark reads /proc: it runs on Linux')

const { peers, leftOut } = await findPeers()
const [cpu] = cpus()
const results: Results = {
  date: new Date().toISOString(),
  machine: `${cpus().length} × ${cpu?.model.trim()}, ${Math.round(totalmem() / GIB)} GiB, Linux ${release()}`,
  versions: { 'Node.js': process.version, ...Object.fromEntries(peers.map(({ name, version }) => [name, version])) },
  cases: []
}
for (const work of works) {
  if (positionals.length > 0 && !positionals.includes(work.id)) continue
  for (const measured of await work.run({ rounds, quick, peers, leftOut })) {
    results.cases.push(measured)
    console.log(`${renderCase(measured)}\n`)
  }
}
if (values.write) {
  const page = new URL('bench/results.md', root)
  await writeFile(page, `# Results of the benchmark\n\n${renderResults(results)}\n`)
  await writeFile(new URL('bench/results.json', root), `${JSON.stringify(results, null, 2)}\n`)
  console.log(`written to ${fileURLToPath(page)}`)
}
