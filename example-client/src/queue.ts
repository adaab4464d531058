import type { Failure } from './retry.ts'
import type { Kept, Missing, State } from './state.ts'

/** What the queue needs to know of an upload. */
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
  /** Bytes a second; `null`: not known. */
  speed: number | null
  /** Whether something goes on, or will without the visitor. */
  busy: boolean
}

const running: State[] = ['uploading', 'waiting', 'joining']
const over: State[] = ['done', 'cancelled']

/** Whether it takes one of the places: so does one that waits for the network, or all would try at once. */
export function isRunning ({ state }: Pick<Queued, 'state'>): boolean {
  return running.includes(state)
}

export function isOver ({ state }: Pick<Queued, 'state'>): boolean {
  return over.includes(state)
}

/** Whether the browser can be asked for its file. */
export function isAskable ({ state, missing }: { state: State, missing: Missing | null }): boolean {
  return state === 'missing' && (missing === 'permission' || missing === 'refused')
}

/** Whether it goes on, and would not by itself, or after one click, if the page were left now. */
export function isAtRisk ({ state, kept }: { state: State, kept: Kept | undefined }): boolean {
  return (isRunning({ state }) || state === 'queued') && kept !== 'copy' && kept !== 'handle'
}

// These would only fail again.
const final: (Failure['reason'] | undefined)[] = ['file', 'tooLarge', 'foreign']

/** Whether it stands still and can go on with what is there. */
export function isResumable ({ state, failure }: { state: State, failure: Failure | null }): boolean {
  return state === 'ready' || state === 'paused' || (state === 'failed' && !final.includes(failure?.reason))
}

/** Whose turn it is, when so many may run at the same time. */
export function nextToStart<Item extends Pick<Queued, 'state'>> (items: readonly Item[], limit: number): Item[] {
  const free = Math.max(limit - items.filter(isRunning).length, 0)
  return items.filter(item => item.state === 'queued').slice(0, free)
}

/** Sums up. Uploads of other tabs, and those without their file, do not count. */
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

/** The bytes that are 100 %. Of nothing but empty files one is missing until they are all finished. */
export function wholeOf ({ size, done, count }: Pick<Overall, 'size' | 'done' | 'count'>): number {
  return size || Number(done < count)
}
