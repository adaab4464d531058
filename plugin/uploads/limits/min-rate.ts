import type { Settings } from '../../settings.ts'

/** A body whose rate is measured. */
export class MeasuredBody {
  /** Closes its connection. */
  readonly close: () => void
  #bytes: number
  #since = performance.now()
  #stalledSince: number | undefined
  #stalledMs = 0

  constructor (close: () => void, bytes: number) {
    this.close = close
    this.#bytes = bytes
  }

  /** The store is busy with bytes of the body: the client may be unable to send. */
  stalled (bytes: number): void {
    this.#bytes += bytes
    this.#stalledSince = performance.now()
  }

  resumed (): void {
    this.#addStalled(performance.now())
    this.#stalledSince = undefined
  }

  /** The bytes since the last call, and the time since then in which the store was not busy, in ms. */
  take (): { bytes: number, ms: number } {
    const now = performance.now()
    this.#addStalled(now)
    const taken = { bytes: this.#bytes, ms: now - this.#since - this.#stalledMs }
    this.#bytes = 0
    this.#since = now
    this.#stalledMs = 0
    return taken
  }

  #addStalled (now: number): void {
    if (this.#stalledSince === undefined) return
    this.#stalledMs += now - this.#stalledSince
    this.#stalledSince = now
  }
}

/** How many connections are closed in one turn of the event loop: closing a thousand at once would block it. */
const CLOSED_AT_ONCE = 50

/**
 * Closes the connections of bodies that are slower than the minimum rate: each of them holds a connection, a file and
 * the lock of an upload. One timer checks all of them, and runs only while there are any.
 */
export class MinRate {
  readonly #bodies = new Set<MeasuredBody>()
  readonly #interval: number
  /** In bytes per ms. */
  readonly #rate: number
  #timer: NodeJS.Timeout | undefined

  constructor ({ minRate, idleTimeout }: Pick<Settings, 'minRate' | 'idleTimeout'>) {
    this.#interval = idleTimeout
    this.#rate = minRate / 1000
  }

  /** @param close - closes the connection of the body */
  measure (close: () => void): MeasuredBody {
    const needed = this.#rate * this.#interval
    // The first check may come early: a body is measured over a complete interval only after that.
    const body = new MeasuredBody(close, needed)
    if (needed > 0) {
      this.#bodies.add(body)
      this.#timer ??= setInterval(() => this.#check(), this.#interval).unref()
    }
    return body
  }

  ended (body: MeasuredBody): void {
    this.#bodies.delete(body)
    if (this.#bodies.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #check (): void {
    const slow = []
    for (const body of this.#bodies) {
      const { bytes, ms } = body.take()
      // A late timer must not raise the number of bytes that is required.
      if (bytes < this.#rate * Math.min(ms, this.#interval)) slow.push(body)
    }
    this.#close(slow)
  }

  #close (slow: MeasuredBody[]): void {
    for (const body of slow.splice(0, CLOSED_AT_ONCE)) {
      // It may have ended since, and its connection may serve another request.
      if (this.#bodies.has(body)) body.close()
    }
    if (slow.length > 0) setImmediate(() => this.#close(slow))
  }
}
