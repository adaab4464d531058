/**
 * The clock of one process, which can be set: it shifts the current time and the times of files. The system stamps
 * files by its own clock, so their times are shifted by the error that the process's clock had when they were stamped.
 */
import type { Stats } from 'node:fs'
import { type FileSystem, fileSystem } from '../../plugin/stores/file/file-system/file-system.ts'

/** From this time of the system's clock on, the process's clock is shifted by this much; both in ms. */
export interface ClockStep {
  at: number
  by: number
}

/** The clock that stamps files ticks a few times in 10 ms; nothing may be stamped so close to a step. */
const TICK_MS = 12

const SystemDate = Date
let steps: ClockStep[] = []

function movedBy (time: number): number {
  return steps.reduce((sum, { at, by }) => at <= time ? sum + by : sum, 0)
}

class MovedDate extends SystemDate {
  constructor (...args: unknown[]) {
    super(...(args.length === 0 ? [MovedDate.now()] : args) as [number])
  }

  static override now (): number {
    const now = SystemDate.now()
    return now + movedBy(now)
  }
}

/** Applies earlier steps of the clock to this process. */
export function liveBy (earlier: ClockStep[]): void {
  steps = [...earlier]
  globalThis.Date = MovedDate as DateConstructor
}

/** Sets the clock, and resolves once files are stamped after the step. */
export async function stepClock (by: number): Promise<ClockStep> {
  await new Promise((resolve) => setTimeout(resolve, TICK_MS))
  const step = { at: SystemDate.now(), by }
  steps.push(step)
  await new Promise((resolve) => setTimeout(resolve, TICK_MS))
  return step
}

function moved (stats: Stats): Stats {
  const by = movedBy(stats.mtimeMs)
  stats.mtimeMs += by
  stats.mtime = new SystemDate(stats.mtimeMs)
  return stats
}

/** The file system, with the times of files as the clock of this process would have stamped them. */
export const movedFs: FileSystem = {
  ...fileSystem,
  stat: async (file) => moved(await fileSystem.stat(file))
}
