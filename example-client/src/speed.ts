// The time constant of the average, in ms: short enough to be accurate, long enough not to flicker.
const smoothing = 3000

/** Measures the speed as an exponential moving average. */
export class Speedometer {
  #speed: number | null = null
  #startedAt: number | null = null
  #lastBytes = 0
  #lastTime = 0

  /** Reports the number of bytes sent at a time, in ms. */
  update (bytes: number, now: number): void {
    if (this.#startedAt === null) {
      this.#startedAt = now
    } else if (now > this.#lastTime) {
      const elapsed = now - this.#lastTime
      const current = Math.max(bytes - this.#lastBytes, 0) / elapsed * 1000
      // Weighted by elapsed time, because calls are irregular.
      const weight = 1 - Math.exp(-elapsed / smoothing)
      this.#speed = this.#speed === null ? current : this.#speed + weight * (current - this.#speed)
    } else {
      // For two reports in the same millisecond, the next one covers both.
      return
    }
    this.#lastBytes = bytes
    this.#lastTime = now
  }

  /** Starts over after a pause. */
  reset (): void {
    this.#speed = null
    this.#startedAt = null
  }

  /** Bytes per second; `null` in the first two seconds, because at first only the socket buffer fills. */
  get speed (): number | null {
    return this.#startedAt !== null && this.#lastTime - this.#startedAt >= 2000 ? this.#speed : null
  }
}
