/** The results of the last runs: `results.json` as data, and `results.md` for reading. */
import { readFile, writeFile } from 'node:fs/promises'
import { cpus, release, totalmem } from 'node:os'
import { GIB } from './bytes.ts'
import type { Peer } from './peers.ts'
import type { Case, Results } from './figures.ts'
import { root } from './root.ts'
import { renderResults } from './table.ts'

const data = new URL('bench/results.json', root)
const page = new URL('bench/results.md', root)

export function resultsOn (peers: Peer[], cases: Case[]): Results {
  const [cpu] = cpus()
  return {
    machine: `${cpus().length} × ${cpu?.model.trim()}, ${Math.round(totalmem() / GIB)} GiB, Linux ${release()}`,
    versions: { 'Node.js': process.version, ...Object.fromEntries(peers.map(({ name, version }) => [name, version])) },
    cases
  }
}

/** Rounds to six significant digits: the rest is noise. */
export function stringify (data: unknown): string {
  const round = (_key: string, value: unknown): unknown =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value
  return `${JSON.stringify(data, round, 1)}\n`
}

/**
 * Writes results, in the order of the works. Results of other works are kept if they are from the same machine and
 * versions.
 */
export async function writeResults (results: Results, works: string[]): Promise<void> {
  const before = await readFile(data, 'utf8').then((text) => JSON.parse(text) as Results, () => undefined)
  const isAlike = before?.machine === results.machine && areSame(before.versions, results.versions)
  const measured = new Set(results.cases.map(({ work }) => work))
  const others = isAlike ? before.cases.filter(({ work }) => !measured.has(work)) : []
  const cases = [...others, ...results.cases].sort((a, b) => works.indexOf(a.work) - works.indexOf(b.work))
  const versions = isAlike ? { ...before.versions, ...results.versions } : results.versions
  const all = { ...results, versions, cases }
  await writeFile(data, stringify(all))
  await writeFile(page, `# Benchmark results\n\n${renderResults(all)}\n`)
}

/** Whether the servers of both runs have the same versions. Each run may have servers that the other does not have. */
function areSame (before: Results['versions'], now: Results['versions']): boolean {
  return Object.entries(before).every(([name, version]) => (now[name] ?? version) === version)
}
