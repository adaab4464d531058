import fc from 'fast-check'
import type { Test } from 'tap'
import { everyStep } from './commands.ts'
import { Machine, type MachineOptions } from './machine.ts'
import type { NewStorage } from './storage/storage.ts'
import { type Tally, World } from './world.ts'

/** The lifetime of an unfinished upload, in ms. */
const PERIOD = 3_600_000

/** The maximum number of steps in one run. Longer runs find more; shorter ones are easier to read. */
const STEPS_PER_RUN = 80

/** A run takes a few seconds; after this time, in ms, a failing one is not made shorter any more. */
const TIME_LIMIT = 240_000

export interface Exploration extends Partial<MachineOptions> {
  /** The minimum number of steps in total. */
  steps: number
  seed: number
  /** Every how many steps the server ends, mostly by a kill. */
  deadly: number
  /** How long after a request the server is killed at most, in ms. Default 8. */
  killWithin?: number
  newStorage: NewStorage
}

/**
 * Takes random steps, run after run, each from an empty storage. Stops at the first failing run and prints how to
 * repeat it.
 */
export async function explore (
  t: Test, { steps, seed, deadly, killWithin = 8, newStorage, period = PERIOD, ...options }: Exploration
): Promise<void> {
  const machine = new Machine({ period, sweepInterval: 30, ...options })
  t.teardown(() => machine.end())
  const tally: Tally = new Map()
  let worlds = 0
  const property = fc.asyncProperty(
    fc.commands(everyStep(deadly, killWithin), { maxCommands: STEPS_PER_RUN, size: 'max' }),
    async (commands) => {
      const world = new World(machine, await newStorage(String(worlds++)), { period, tally })
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
    const details = await fc.check(property, { seed: run, numRuns: 1, interruptAfterTimeLimit: TIME_LIMIT })
    if (!details.failed) continue
    t.comment(`${await fc.asyncDefaultReportMessage(details)}\n${String((details.errorInstance as Error).stack)}`)
    t.fail(`to repeat it: SEED=${run} STEPS=1 with the same ONLY`)
    break
  }
  t.comment(JSON.stringify({ runs: worlds, starts: machine.starts, ...Object.fromEntries([...tally].sort()) }))
  t.ok((tally.get('steps') ?? 0) > 0, `${tally.get('steps')} steps`)
}
