/** How many bytes all appends of a store may hold in memory. */
export class MemoryBudget {
  readonly #limit: number
  #used = 0

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
  }
}
