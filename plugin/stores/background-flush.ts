import type { OpenFile } from './file-system.ts'

/** After how many bytes a file is flushed while more of them come. */
export const FLUSH_BYTES = 16 * 1024 * 1024

/**
 * Flushes a file now and then while it is written, one flush at a time, so that little is left for the last one. A body
 * of 256 MiB from memory then takes 1.06 times the wall time of one that is not flushed, and otherwise 1.45 times.
 */
export class BackgroundFlush {
  readonly #file: Pick<OpenFile, 'datasync'>
  readonly #every: number
  #unflushed = 0
  #running: Promise<void> | undefined
  #error: Error | undefined

  /** @param every - how many bytes; `Infinity` for never */
  constructor (file: Pick<OpenFile, 'datasync'>, every: number) {
    this.#file = file
    this.#every = every
  }

  /**
   * Begins a flush if one is due.
   * @throws what an earlier one failed with: the system says it once, and of the next flush that all is well
   */
  wrote (bytes: number): void {
    if (this.#error !== undefined) throw this.#error
    this.#unflushed += bytes
    if (this.#unflushed < this.#every || this.#running !== undefined) return
    this.#unflushed = 0
    this.#running = this.#file.datasync()
      .catch((error: Error) => { this.#error = error })
      .finally(() => { this.#running = undefined })
  }

  /**
   * Resolves when none is under way.
   * @throws what one of them failed with
   */
  async settled (): Promise<void> {
    await this.#running
    if (this.#error !== undefined) throw this.#error
  }
}
