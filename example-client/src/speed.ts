// How long a change of speed takes to show, in ms: short enough to be true, long enough not to flicker.
const smoothing = 3000

/** Measures speed as an average that forgets what is long ago. */
export class Speedometer {
  #speed: number | null = null
  #startedAt: number | null = null
  #lastBytes = 0
  #lastTime = 0

  /** Tells how many bytes have been sent at a time, in ms. */
  update (bytes: number, now: number): void {
    if (this.#startedAt === null) {
      this.#startedAt = now
    } else if (now > this.#lastTime) {
      const elapsed = now - this.#lastTime
      const current = Math.max(bytes - this.#lastBytes, 0) / elapsed * 1000
      // By the time that went by and not by the number of calls, which come as they like.
      const weight = 1 - Math.exp(-elapsed / smoothing)
      this.#speed = this.#speed === null ? current : this.#speed + weight * (current - this.#speed)
    } else {
      // Two reports in one millisecond: the next one tells of both.
      return
    }
    this.#lastBytes = bytes
    this.#lastTime = now
  }

  /** Begins anew, after a pause. */
  reset (): void {
    this.#speed = null
    this.#startedAt = null
  }

  /** Bytes a second, or `null` in the first two seconds: the socket's buffer fills faster than the network is. */
  get speed (): number | null {
    return this.#startedAt !== null && this.#lastTime - this.#startedAt >= 2000 ? this.#speed : null
  }
}
