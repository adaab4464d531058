/** W8: a sweep over a large store. */
import { readdirSync, renameSync } from 'node:fs'
import type { Bench, Work } from '../bench.ts'
import { MIB } from '../bytes.ts'
import { layouts } from '../layouts.ts'
import { oursSweeping, type Peer, tusNode } from '../peers.ts'
import { cpuOf, forgetPeak, residentOf } from '../process.ts'
import type { Figures, Metric } from '../figures.ts'
import { ServerProcess } from '../server-process.ts'
import { fill } from '../stored.ts'
import { inTurns } from '../turns.ts'
import { newDirectory, removeDirectory } from '../workspace.ts'

const metrics: Metric[] = [
  { name: 'growth', unit: 'memory growth MiB', digits: 1, spread: true },
  { name: 'longest', unit: 'longest tick ms', digits: 1, spread: true },
  { name: 'cpu', unit: 'CPU s', digits: 2, spread: true },
  { name: 'wall', unit: 'wall s', digits: 2, spread: true }
]

const DAY = 24 * 60 * 60 * 1000
/** One upload in this many has expired. */
const DUE = 100

export const w8: Work = {
  id: 'W8',
  run: async (bench) => {
    // The growth with the size of the store matters.
    const sizes = bench.quick ? [3000] : [10_000, 100_000]
    if (bench.large) sizes.push(bench.quick ? 30_000 : 1_000_000)
    const results = []
    for (const size of sizes) {
      const rounds = Math.min(bench.rounds, mostRounds(size))
      results.push(await sweeps({ ...bench, rounds }, size))
    }
    return results
  }
}

/** Large stores take minutes for each round. */
function mostRounds (size: number): number {
  return size > 100_000 ? 1 : 3
}

async function sweeps (bench: Bench, size: number) {
  const due = size / DUE
  // Both servers use the same layout.
  const store = newDirectory()
  fill(layouts.json, store, due, size)
  const title = `a sweep over ${size} uploads, ${due} of them expired`
  try {
    return await inTurns({ ...bench, leftOut: [] }, { title, metrics }, [oursSweeping, tusNode].map((peer) => ({
      name: peer.name,
      measure: async () => {
        fill(layouts.json, store, 0, due, new Date(Date.now() - 2 * DAY))
        return await measureSweep(peer, store, size - due, due)
      }
    })))
  } finally {
    removeDirectory(store)
  }
}

/** The server starts on an empty directory. Then the store replaces it, so that only the sweep is measured. */
async function measureSweep (peer: Peer, store: string, kept: number, due: number): Promise<Figures> {
  const directory = newDirectory()
  const server = await ServerProcess.start(peer, directory, { expiration: DAY })
  try {
    await server.ask('collect')
    await server.ask('watch')
    forgetPeak(server.pid)
    const before = residentOf(server.pid)
    const { user, system } = cpuOf(server.pid)
    const start = performance.now()
    renameSync(store, directory)
    const swept = await server.ask('sweep')
    const wall = (performance.now() - start) / 1000
    const after = cpuOf(server.pid)
    const longest = await server.ask('longest')
    const growth = (server.peak - before) / MIB
    const files = readdirSync(directory).length
    if (swept !== due || files !== 2 * kept) {
      throw new Error(`${swept} of ${due} uploads were swept, and ${files} of ${2 * kept} files are left`)
    }
    return { growth, longest, cpu: after.user + after.system - user - system, wall }
  } finally {
    await server.end()
    renameSync(directory, store)
  }
}
