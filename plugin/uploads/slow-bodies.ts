import type { Settings } from '../settings.ts'

/** A body that is watched. */
export interface Watched {
  /** How many bytes came since it was looked at last. */
  bytes: number
  /** Whether the store is busy with them: a client that is held back cannot send. */
  isHeldBack: boolean
  /** Ends its connection. */
  close: () => void
}

/**
 * Ends bodies that trickle: each holds a connection, a file and the lock of an upload. One timer looks at all of them,
 * and is there only while there are any.
 */
export class SlowBodies {
  readonly #bodies = new Set<Watched>()
  readonly #interval: number
  readonly #needed: number
  #timer: NodeJS.Timeout | undefined

  constructor ({ minRate, idleTimeout }: Pick<Settings, 'minRate' | 'idleTimeout'>) {
    this.#interval = idleTimeout
    this.#needed = minRate * idleTimeout / 1000
  }

  /** @returns the body, and what ends the watch */
  watch (close: () => void): { body: Watched, end: () => void } {
    // Only what comes after the next look is measured over the whole time.
    const body = { bytes: this.#needed, isHeldBack: false, close }
    if (this.#needed > 0) {
      this.#bodies.add(body)
      this.#timer ??= setInterval(() => this.#look(), this.#interval).unref()
    }
    return { body, end: () => this.#end(body) }
  }

  #end (body: Watched): void {
    this.#bodies.delete(body)
    if (this.#bodies.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #look (): void {
    for (const body of this.#bodies) {
      if (body.bytes < this.#needed && !body.isHeldBack) body.close()
      body.bytes = 0
    }
  }
}
