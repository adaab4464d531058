import type { Scope } from './context.ts'
import { sweep } from './sweep.ts'

export interface SweeperOptions {
  /** The time between the end of a sweep and the next, in ms; 0: only the one at the start. */
  interval: number
  /** Wall clock and a clock that never jumps, both in ms. */
  clocks?: { wall: () => number, steady: () => number }
}

/** By how much the wall clock may run apart from the steady one between two sweeps, in ms. */
const JUMP = 60_000

/**
 * Sweeps now and then, until stopped. The timer does not keep the process alive. After the clock jumped, a sweep is
 * left out: what is expired only by a clock that was set wrongly gets a chance.
 * @returns stops it, and resolves when no sweep is under way
 */
export function startSweeping (scope: Scope, { interval, clocks = systemClocks }: SweeperOptions): () => Promise<void> {
  let timer: NodeJS.Timeout | undefined
  let apart = clocks.wall() - clocks.steady()
  let stopped = false
  let running = run()

  async function run (): Promise<void> {
    const before = apart
    apart = clocks.wall() - clocks.steady()
    try {
      const by = apart - before
      if (Math.abs(by) > JUMP) scope.log.warn({ by }, 'the clock jumped: no sweep this time')
      else await sweepOnce(scope)
    } catch (err) {
      scope.log.error({ err }, 'sweep failed')
    }
    if (interval > 0 && !stopped) timer = setTimeout(() => { running = run() }, interval).unref()
  }

  return async () => {
    stopped = true
    clearTimeout(timer)
    await running
  }
}

async function sweepOnce (scope: Scope): Promise<void> {
  const removed = await sweep(scope)
  if (removed.expired + removed.leftovers > 0) scope.log.info(removed, 'expired uploads removed')
}

const systemClocks = { wall: () => Date.now(), steady: () => performance.now() }
