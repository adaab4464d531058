export interface LeaseOptions {
  /** How long Redis keeps the lock without a renewal, in ms. */
  ttl: number
  /** Whether the lock is still held; rejects if that is not known. */
  renew: () => Promise<boolean>
}

/** When a lease is renewed, and when it ends, as parts of its `ttl`. The rest of it is for ending the work. */
const RENEW = 1 / 3
const RETRY = 1 / 15
const LOST = 4 / 5

/**
 * The time for which a lock is held for certain. It is measured by the monotonic clock of this process, from before the
 * command to Redis: whatever happens to the process or to Redis, the lease ends here before it ends there.
 */
export class Lease {
  readonly #options: LeaseOptions
  readonly #lost = new AbortController()
  #since = 0
  #epoch = 0
  #timer: NodeJS.Timeout | undefined

  constructor (options: LeaseOptions) {
    this.#options = options
  }

  /** Aborts once another process may hold the lock. After a pause of this process, already before any timer runs. */
  get lost (): AbortSignal {
    if (this.#timer !== undefined && this.#rest() <= 0) this.#end()
    return this.#lost.signal
  }

  /**
   * @param since - the time before the lock was requested, of `performance.now()`
   * @param epoch - the number of the lock
   */
  start (since: number, epoch: number): void {
    this.#epoch = epoch
    this.#extend(since)
  }

  stop (): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #rest (): number {
    return this.#since + this.#options.ttl * LOST - performance.now()
  }

  #schedule (part: number): void {
    clearTimeout(this.#timer)
    const delay = Math.max(Math.min(this.#options.ttl * part, this.#rest()), 0)
    this.#timer = setTimeout(() => this.#renew(), delay).unref()
  }

  #renew (): void {
    if (!this.#isHeld()) return
    const since = performance.now()
    // The lease may end before Redis responds.
    this.#schedule(Infinity)
    this.#options.renew().then((isHeld) => {
      if (!this.#isHeld()) return
      if (isHeld) this.#extend(since)
      else this.#end()
    }, () => {
      if (this.#isHeld()) this.#schedule(RETRY)
    })
  }

  #extend (since: number): void {
    this.#since = since
    this.#schedule(RENEW)
  }

  #isHeld (): boolean {
    return this.#timer !== undefined && !this.lost.aborted
  }

  #end (): void {
    this.stop()
    this.#lost.abort(new Error(`The lease of lock ${this.#epoch} has ended`))
  }
}
