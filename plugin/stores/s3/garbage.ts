import type { Bucket } from './bucket.ts'

/**
 * Deletes objects that no upload needs any more, in the background. If that fails, or the process ends, the sweep finds
 * them later.
 */
export class Garbage {
  readonly #bucket: Bucket
  readonly #running = new Set<Promise<void>>()

  constructor (bucket: Bucket) {
    this.#bucket = bucket
  }

  delete (keys: string[]): void {
    if (keys.length === 0) return
    const running = this.#bucket.deleteAll(keys).catch(() => {}).finally(() => { this.#running.delete(running) })
    this.#running.add(running)
  }

  /** Resolves once no deletion is under way. */
  async settled (): Promise<void> {
    await Promise.all(this.#running)
  }
}
