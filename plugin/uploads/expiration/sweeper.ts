import { errors } from '../../errors.ts'
import type { Context } from '../context.ts'
import { sweep } from './sweep.ts'

export interface SweeperOptions {
  /** The time between the end of a sweep and the next one, in ms; 0: only the one at the start. */
  interval: number
  /** The wall clock, and a clock that never jumps; both in ms. */
  clocks?: { wall: () => number, steady: () => number }
}

/** How far the two clocks may drift apart between two sweeps, in ms. */
const MAX_DRIFT = 60_000
/** How long a sweep waits at most if another process is sweeping, in ms. */
const BUSY_MS = 10_000

/**
 * Sweeps from time to time, until stopped. The timer does not keep the process alive. After a jump of the wall clock
 * one sweep is skipped, so that uploads that only seemed expired survive if the clock is corrected in time.
 * @returns stops it; resolves once no sweep is under way
 */
export function startSweeping (
  context: Context, { interval, clocks = systemClocks }: SweeperOptions
): () => Promise<void> {
  let timer: NodeJS.Timeout | undefined
  let difference = clocks.wall() - clocks.steady()
  let isStopped = false
  let running = run()

  async function run (): Promise<void> {
    const before = difference
    let next = interval
    difference = clocks.wall() - clocks.steady()
    try {
      const drift = difference - before
      if (Math.abs(drift) > MAX_DRIFT) context.log.warn({ drift }, 'clock jumped: sweep skipped')
      else if (!await sweepAlone(context)) next = Math.min(interval || BUSY_MS, BUSY_MS)
    } catch (err) {
      context.log.error({ err }, 'sweep failed')
    }
    if (next > 0 && !isStopped) timer = setTimeout(() => { running = run() }, next).unref()
  }

  return async () => {
    isStopped = true
    clearTimeout(timer)
    await running
  }
}

/**
 * Processes that share a locker sweep one at a time.
 * @returns whether no other process is sweeping
 */
async function sweepAlone (context: Context): Promise<boolean> {
  try {
    // No upload has an id with a space.
    return await context.locks.holdIfFree(`sweep ${context.scope}`, async () => {
      const removed = await sweep(context)
      if (removed.expired + removed.orphans > 0) context.log.info(removed, 'expired uploads and orphans deleted')
      return true
    }) ?? false
  } catch (error) {
    // From a locker without `tryLock`.
    if (error instanceof errors.Locked) return false
    throw error
  }
}

const systemClocks = { wall: () => Date.now(), steady: () => performance.now() }
