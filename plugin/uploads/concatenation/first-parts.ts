/** How many final uploads are remembered. */
const MAX_FINALS = 10_000

/**
 * An LRU cache: for the id of a final upload that waits, the id of the part to check first. That part was incomplete
 * the last time. Usually it still is, and no other part has to be read.
 */
export class FirstParts {
  readonly #parts = new Map<string, string>()

  get (finalId: string): string | undefined {
    return this.#parts.get(finalId)
  }

  set (finalId: string, partId: string | undefined): void {
    this.#parts.delete(finalId)
    if (partId === undefined) return
    this.#parts.set(finalId, partId)
    const [oldest] = this.#parts.keys()
    if (this.#parts.size > MAX_FINALS) this.#parts.delete(oldest as string)
  }
}
