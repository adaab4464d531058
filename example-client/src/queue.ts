import type { Failure } from './retry.ts'
import type { Kept, Missing, State } from './state.ts'

/** The properties of an upload that the queue needs. */
export interface Queued {
  state: State
  size: number
  accepted: number
  sent: number
  speed: number | null
  begin: () => void
}

/** All uploads together. */
export interface Overall {
  count: number
  done: number
  size: number
  accepted: number
  sent: number
  /** Bytes per second; `null` if unknown. */
  speed: number | null
  /** Whether an upload is running or will run without the visitor. */
  busy: boolean
}

const running: State[] = ['uploading', 'waiting', 'joining']
const over: State[] = ['done', 'cancelled']

/** Whether an upload takes a slot. A waiting one does, or all would retry at once. */
export function isRunning ({ state }: Pick<Queued, 'state'>): boolean {
  return running.includes(state)
}

export function isOver ({ state }: Pick<Queued, 'state'>): boolean {
  return over.includes(state)
}

/** Whether the browser can ask for permission to read the file. */
export function isAskable ({ state, missing }: { state: State, missing: Missing | null }): boolean {
  return state === 'missing' && (missing === 'permission' || missing === 'refused')
}

/** Whether leaving the page would interrupt an upload that cannot resume automatically or after one click. */
export function isAtRisk ({ state, kept }: { state: State, kept: Kept | undefined }): boolean {
  return (isRunning({ state }) || state === 'queued') && kept !== 'copy' && kept !== 'handle'
}

// Failures that would repeat.
const final: (Failure['reason'] | undefined)[] = ['file', 'tooLarge', 'foreign']

/** Whether an upload is stopped and can resume. */
export function isResumable ({ state, failure }: { state: State, failure: Failure | null }): boolean {
  return state === 'ready' || state === 'paused' || (state === 'failed' && !final.includes(failure?.reason))
}

/** The uploads to start, if `places` may run in parallel. */
export function nextToStart<Item extends Pick<Queued, 'state'>> (items: readonly Item[], limit: number): Item[] {
  const free = Math.max(limit - items.filter(isRunning).length, 0)
  return items.filter(item => item.state === 'queued').slice(0, free)
}

/** The sum of all uploads, without those of other tabs and those without a file. */
export function sumUp (items: readonly Omit<Queued, 'begin'>[]): Overall {
  const counted = items.filter(({ state }) => !['cancelled', 'elsewhere', 'missing'].includes(state))
  const total = (value: (item: Omit<Queued, 'begin'>) => number) =>
    counted.reduce((total, item) => total + value(item), 0)
  return {
    count: counted.length,
    done: counted.filter(item => item.state === 'done').length,
    size: total(item => item.size),
    accepted: total(item => item.accepted),
    sent: total(item => item.sent),
    speed: counted.some(item => item.speed !== null) ? total(item => item.speed ?? 0) : null,
    busy: counted.some(item => isRunning(item) || item.state === 'queued')
  }
}

/** The bytes that are 100%. If all files are empty, one byte is missing until all are finished. */
export function wholeOf ({ size, done, count }: Pick<Overall, 'size' | 'done' | 'count'>): number {
  return size || Number(done < count)
}
