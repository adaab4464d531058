/** An LRU cache with a limit for the bytes of its values. */
export class LruCache<T> {
  readonly #limit: number
  readonly #entries = new Map<string, { value: T, bytes: number }>()
  #bytes = 0

  /** @param limit - in bytes */
  constructor (limit: number) {
    this.#limit = limit
  }

  get (key: string): T | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    // A Map keeps the order of insertion: deleted and set again, the entry is the newest.
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    return entry.value
  }

  set (key: string, value: T, bytes: number): void {
    this.delete(key)
    this.#entries.set(key, { value, bytes })
    this.#bytes += bytes
    while (this.#bytes > this.#limit) this.delete(this.#entries.keys().next().value as string)
  }

  delete (key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0
    this.#entries.delete(key)
  }
}
