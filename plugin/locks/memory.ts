import type { Lock, Locker, RequestRelease } from '../types.ts'
import { askToRelease, type Queued, type Waiter, waitIn } from './waiting.ts'

export interface MemoryLockerOptions {
  /** How many requests may wait for one upload; the next one is refused at once. Default 100. */
  maxWaiters?: number
}

interface Held extends Waiter {
  queue: Queued[]
}

/**
 * Locks in the memory of this process, first come, first served. `unlock` wakes the next waiter; nothing polls. A
 * request that begins to wait asks the holder to release the lock, and so does every waiter when the holder changes.
 */
export class MemoryLocker implements Locker {
  readonly shared = false
  readonly #held = new Map<string, Held>()
  readonly #maxWaiters: number

  constructor ({ maxWaiters = 100 }: MemoryLockerOptions = {}) {
    this.#maxWaiters = maxWaiters
  }

  newLock (id: string): Lock {
    return new MemoryLock(this.#held, id, this.#maxWaiters)
  }
}

class MemoryLock implements Lock {
  readonly #locks: Map<string, Held>
  readonly #id: string
  readonly #maxWaiters: number
  #isMine = false

  constructor (locks: Map<string, Held>, id: string, maxWaiters: number) {
    this.#locks = locks
    this.#id = id
    this.#maxWaiters = maxWaiters
  }

  tryLock (requestRelease: RequestRelease): boolean {
    if (this.#locks.has(this.#id)) return false
    this.#locks.set(this.#id, { requestRelease, queue: [] })
    this.#isMine = true
    return true
  }

  async lock (signal: AbortSignal, requestRelease: RequestRelease): Promise<void> {
    const held = this.#locks.get(this.#id)
    if (held === undefined) this.#locks.set(this.#id, { requestRelease, queue: [] })
    else {
      const onChange = () => { if (held.queue.length > 0) askToRelease(held) }
      await waitIn(held.queue, { requestRelease }, { signal, max: this.#maxWaiters, onChange })
    }
    this.#isMine = true
  }

  async unlock (): Promise<void> {
    if (!this.#isMine) throw new Error('This lock is not held')
    this.#isMine = false
    const held = this.#locks.get(this.#id) as Held
    const next = held.queue.shift()
    if (next === undefined) {
      this.#locks.delete(this.#id)
      return
    }
    held.requestRelease = next.requestRelease
    next.admit()
    if (held.queue.length > 0) askToRelease(held)
  }
}
