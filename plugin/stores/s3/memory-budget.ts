/** How many bytes all appends of a store may hold in memory. */
export class MemoryBudget {
  readonly #limit: number
  #used = 0
  #waiting: Array<() => void> = []

  /** @param limit - in bytes */
  constructor (limit: number) {
    this.#limit = limit
  }

  get isSpent (): boolean {
    return this.#used >= this.#limit
  }

  take (bytes: number): void {
    this.#used += bytes
  }

  release (bytes: number): void {
    this.#used -= bytes
    if (this.isSpent) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }

  /** Resolves once some bytes have been released. */
  async room (): Promise<void> {
    await new Promise<void>((resolve) => { this.#waiting.push(resolve) })
  }
}
