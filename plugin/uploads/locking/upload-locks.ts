import type { FastifyBaseLogger } from 'fastify'
import { errors, isTusError } from '../../errors.ts'
import type { Lock, Locker } from '../../types.ts'
import type { EventPublisher } from '../events/events.ts'
import { ReleaseSignal } from './release-signal.ts'

/** The lock of an upload while it is held. A later request, or the end of the app, asks for its release. */
export interface HeldLock {
  readonly release: ReleaseSignal
  /** Whether another process may hold the lock by now. */
  readonly isLost: boolean
  /** @throws FST_TUS_LOCK_LOST */
  assertHeld (): void
}

type Work<T> = (lock: HeldLock) => Promise<T>

export interface UploadLocksOptions {
  locker: Locker
  /** How long a request waits, in ms. */
  timeout: number
  events: EventPublisher
  log: FastifyBaseLogger
  shutdown: AbortSignal
}

/** The locks of uploads: everything that changes an upload happens while its lock is held. */
export class UploadLocks {
  readonly #options: UploadLocksOptions
  /** The work that runs under each held lock. It may outlive the connection of its client. */
  readonly #running = new Map<ReleaseSignal, Promise<unknown>>()

  constructor (options: UploadLocksOptions) {
    this.#options = options
    options.shutdown.addEventListener('abort', () => {
      for (const release of this.#running.keys()) release.request(new errors.Shutdown())
    })
  }

  /**
   * Runs `work` while holding the lock of an upload. Asks the current holder to release it.
   * @throws FST_TUS_LOCKED if the lock is not released within the timeout
   * @throws FST_TUS_LOCKER_FAILED
   */
  async hold<T> (id: string, work: Work<T>): Promise<T> {
    const held = new Holding(this.#newLock(id))
    if (!await this.#tryLock(held)) await this.#wait(id, held)
    return this.#run(held, work)
  }

  /**
   * Like `hold`, but disturbs no holder.
   * @returns `undefined`, without having done anything, if the upload is locked
   */
  async holdIfFree<T> (id: string, work: Work<T>): Promise<T | undefined> {
    const held = new Holding(this.#newLock(id))
    // A locker without `tryLock` can only wait, and displaces the holder.
    if (held.lock.tryLock === undefined) await this.#wait(id, held)
    else if (!await this.#tryLock(held)) return undefined
    return await this.#run(held, work)
  }

  /** Holds several locks, taken one after the other, in the same order by every request. */
  async holdAll<T> (ids: string[], work: (locks: HeldLock[]) => Promise<T>): Promise<T> {
    const [first, ...rest] = [...new Set(ids)].sort()
    if (first === undefined) return await work([])
    return await this.hold(first, async (lock) => {
      return await this.holdAll(rest, async (locks) => await work([lock, ...locks]))
    })
  }

  /** Resolves once no lock is held. */
  async settled (): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running.values())
  }

  #newLock (id: string): Lock {
    try {
      return this.#options.locker.newLock(id)
    } catch (cause) {
      throw new errors.LockerFailed({ cause })
    }
  }

  async #tryLock (held: Holding): Promise<boolean> {
    try {
      return await held.lock.tryLock?.(() => held.displace()) ?? false
    } catch (cause) {
      throw lockError(cause)
    }
  }

  async #wait (id: string, held: Holding): Promise<void> {
    const { timeout, events } = this.#options
    const waiting = new AbortController()
    const timer = setTimeout(() => waiting.abort(new errors.Locked()), timeout)
    const start = performance.now()
    let error: Error | undefined
    try {
      await held.lock.lock(waiting.signal, () => held.displace())
    } catch (cause) {
      // Third-party lockers then reject with an error of their own.
      error = waiting.signal.aborted || isForeignTimeout(cause) ? new errors.Locked({ cause }) : lockError(cause)
      throw error
    } finally {
      clearTimeout(timer)
      events.publish('lockWaited', { uploadId: id, duration: performance.now() - start, error })
    }
  }

  async #run<T> (held: Holding, work: Work<T>): Promise<T> {
    const { release } = held
    held.watch()
    // The app may have begun to close while this request waited.
    if (this.#options.shutdown.aborted) release.request(new errors.Shutdown())
    const running = work(held).finally(() => this.#unlock(held))
    this.#running.set(release, running)
    try {
      return await running
    } finally {
      this.#running.delete(release)
    }
  }

  /** A failed `unlock` does not undo the work. */
  async #unlock (held: Holding): Promise<void> {
    held.unwatch()
    try {
      await held.lock.unlock()
    } catch (err) {
      // A lost lock needs no release.
      if (!held.isLost) this.#options.log.error({ err }, 'unlock failed')
    }
  }
}

/** A locker of `@tus/server` may have a shorter timeout of its own, and reports that only in the text of its error. */
function isForeignTimeout (cause: unknown): boolean {
  return String((Object(cause) as { body?: unknown }).body).startsWith('failed to acquire lock before timeout')
}

function lockError (cause: unknown): Error {
  return isTusError(cause) ? cause : new errors.LockerFailed({ cause })
}

class Holding implements HeldLock {
  readonly lock: Lock
  readonly release = new ReleaseSignal()
  readonly #onLost = () => this.release.request(new errors.LockLost())

  constructor (lock: Lock) {
    this.lock = lock
  }

  get isLost (): boolean {
    return this.lock.lost?.aborted === true
  }

  assertHeld (): void {
    if (this.isLost) throw new errors.LockLost()
  }

  displace (): void {
    this.release.request(new errors.Displaced())
  }

  watch (): void {
    this.lock.lost?.addEventListener('abort', this.#onLost, { once: true })
    if (this.isLost) this.#onLost()
  }

  unwatch (): void {
    this.lock.lost?.removeEventListener('abort', this.#onLost)
  }
}
