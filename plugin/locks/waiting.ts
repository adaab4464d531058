import { errors } from '../errors.ts'
import type { RequestRelease } from '../types.ts'

/** A request that holds a lock, or waits for it. */
export interface Waiter {
  requestRelease: RequestRelease
}

export interface Queued extends Waiter {
  /** Ends the wait. The lock is held from now on. */
  admit: () => void
  reject: (error: unknown) => void
}

export interface WaitOptions {
  signal: AbortSignal
  /** How many requests may wait. */
  max: number
  /** Called after a request has joined the queue, and after one has given up. */
  onChange: () => void
}

/**
 * Waits at the end of a queue until the request is admitted.
 * @throws FST_TUS_LOCKED if too many requests wait; the reason of the signal if it aborts first
 */
export async function waitIn<T extends Waiter> (
  queue: Array<T & Queued>, waiter: T, { signal, max, onChange }: WaitOptions
): Promise<void> {
  signal.throwIfAborted()
  if (queue.length >= max) {
    throw new errors.Locked({ cause: new Error(`${queue.length} requests are waiting for this upload`) })
  }
  await new Promise<void>((resolve, reject) => {
    const giveUp = () => {
      queue.splice(queue.indexOf(queued), 1)
      reject(signal.reason)
      onChange()
    }
    const settle = <V>(then: (value: V) => void) => (value: V) => {
      signal.removeEventListener('abort', giveUp)
      then(value)
    }
    const queued = { ...waiter, admit: settle(resolve), reject: settle(reject) }
    signal.addEventListener('abort', giveUp, { once: true })
    queue.push(queued)
    onChange()
  })
}

/** A holder whose callback fails keeps the lock until it releases it. */
export function askToRelease ({ requestRelease }: Waiter): void {
  Promise.resolve().then(requestRelease).catch(() => {})
}
