import path from 'node:path'
import fc from 'fast-check'
import type { Test } from 'tap'
import { everyStep } from './commands.ts'
import { Machine } from './machine.ts'
import { type Tally, World } from './world.ts'

/** The lifetime of an unfinished upload, in ms. */
const PERIOD = 3_600_000

/** The maximum number of steps in one run. Longer runs find more; shorter ones are easier to read. */
const STEPS_PER_RUN = 80

export interface Exploration {
  /** The minimum number of steps in total. */
  steps: number
  seed: number
  /** Every how many steps the server ends, mostly by a kill. */
  deadly: number
  /** How many processes serve the directory. Default 1. */
  processes?: number
}

/**
 * Takes random steps, run after run, each from an empty directory. Stops at the first failing run and prints how to
 * repeat it.
 */
export async function explore (t: Test, { steps, seed, deadly, processes = 1 }: Exploration): Promise<void> {
  const directory = t.testdir()
  const machine = new Machine({ period: PERIOD, sweepInterval: 30, processes })
  t.teardown(() => machine.end())
  const tally: Tally = new Map()
  let worlds = 0
  const property = fc.asyncProperty(
    fc.commands(everyStep(deadly), { maxCommands: STEPS_PER_RUN, size: 'max' }),
    async (commands) => {
      const place = path.join(directory, String(worlds++))
      const world = new World(machine, { directory: place, notes: `${place}.notes` }, { period: PERIOD, tally })
      try {
        await world.begin()
        await fc.asyncModelRun(() => ({ model: world, real: world }), commands)
        await world.end()
      } catch (error) {
        await machine.kill().catch(() => {})
        throw error
      }
    })
  for (let run = seed; (tally.get('steps') ?? 0) < steps; run++) {
    const details = await fc.check(property, { seed: run, numRuns: 1, interruptAfterTimeLimit: 60_000 })
    if (!details.failed) continue
    t.comment(`${await fc.asyncDefaultReportMessage(details)}\n${String((details.errorInstance as Error).stack)}`)
    t.fail(`to repeat it: SEED=${run} STEPS=1 PROCESSES=${processes}`)
    break
  }
  t.comment(JSON.stringify({ runs: worlds, starts: machine.starts, ...Object.fromEntries([...tally].sort()) }))
  t.ok((tally.get('steps') ?? 0) > 0, `${tally.get('steps')} steps`)
}
