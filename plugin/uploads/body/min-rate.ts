import type { Settings } from '../../settings.ts'

/** A body that is watched. */
export class Watched {
  /** Ends its connection. */
  readonly close: () => void
  #bytes: number
  #since = performance.now()
  #heldBackSince: number | undefined
  #heldBackMs = 0

  constructor (close: () => void, bytes: number) {
    this.close = close
    this.#bytes = bytes
  }

  /** The store is busy with bytes of it: a client that is held back cannot send. */
  holdBack (bytes: number): void {
    this.#bytes += bytes
    this.#heldBackSince = performance.now()
  }

  letGo (): void {
    this.#addHeldBack(performance.now())
    this.#heldBackSince = undefined
  }

  /** How many bytes came since this was asked last, and in how many ms of these it was not held back. */
  take (): { bytes: number, ms: number } {
    const now = performance.now()
    this.#addHeldBack(now)
    const taken = { bytes: this.#bytes, ms: now - this.#since - this.#heldBackMs }
    this.#bytes = 0
    this.#since = now
    this.#heldBackMs = 0
    return taken
  }

  #addHeldBack (now: number): void {
    if (this.#heldBackSince === undefined) return
    this.#heldBackMs += now - this.#heldBackSince
    this.#heldBackSince = now
  }
}

/** How many are ended in one turn of the event loop: others must not wait for the end of a thousand. */
const CLOSED_AT_ONCE = 50

/**
 * Ends bodies that trickle: each holds a connection, a file and the lock of an upload. One timer looks at all of them,
 * and is there only while there are any.
 */
export class SlowBodies {
  readonly #bodies = new Set<Watched>()
  readonly #interval: number
  /** In bytes a ms. */
  readonly #rate: number
  #timer: NodeJS.Timeout | undefined

  constructor ({ minRate, idleTimeout }: Pick<Settings, 'minRate' | 'idleTimeout'>) {
    this.#interval = idleTimeout
    this.#rate = minRate / 1000
  }

  /** @returns the body, and what ends the watch */
  watch (close: () => void): { body: Watched, end: () => void } {
    const needed = this.#rate * this.#interval
    // Only what comes after the next look is measured over the whole time.
    const body = new Watched(close, needed)
    if (needed > 0) {
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
    const slow = []
    for (const body of this.#bodies) {
      const { bytes, ms } = body.take()
      // Of a timer that is late nothing is to be made up for.
      if (bytes < this.#rate * Math.min(ms, this.#interval)) slow.push(body)
    }
    this.#close(slow)
  }

  #close (slow: Watched[]): void {
    for (const body of slow.splice(0, CLOSED_AT_ONCE)) {
      // It may have ended since, and its connection be for another one.
      if (this.#bodies.has(body)) body.close()
    }
    if (slow.length > 0) setImmediate(() => this.#close(slow))
  }
}
