import type { OpenFile } from './file-system.ts'

/** After how many bytes a file is flushed while more of them come. */
export const FLUSH_BYTES = 16 * 1024 * 1024

export interface FlushesOptions {
  /** How many bytes the file has. */
  bytes: number
  /** How many of them are known to be on the disk; `undefined` where nobody knows. */
  flushed: number | undefined
  /** After how many bytes it is flushed; `Infinity` for never. */
  every: number
}

/**
 * Flushes a file now and then while it is written, one flush at a time, so that little is left for the last one. A body
 * of 256 MiB from memory then takes 1.06 times the wall time of one that is not flushed, and otherwise 1.45 times.
 *
 * A flush that failed makes all later ones fail: the system tells of it once, and of the next flush that all is well.
 */
export class Flushes {
  readonly #file: Pick<OpenFile, 'datasync'>
  readonly #every: number
  #bytes: number
  #flushed: number
  #begunAt: number
  #running: Promise<void> | undefined
  #error: Error | undefined

  constructor (file: Pick<OpenFile, 'datasync'>, { bytes, flushed, every }: FlushesOptions) {
    this.#file = file
    this.#every = every
    this.#bytes = bytes
    this.#flushed = flushed ?? 0
    this.#begunAt = flushed ?? bytes
  }

  /** How many bytes of the file are known to be on the disk. */
  get flushed (): number {
    return this.#flushed
  }

  get hasFailed (): boolean {
    return this.#error !== undefined
  }

  /**
   * Begins a flush if one is due.
   * @throws what an earlier one failed with
   */
  wrote (bytes: number): void {
    if (this.#error !== undefined) throw this.#error
    this.#bytes += bytes
    if (this.#bytes - this.#begunAt >= this.#every && this.#running === undefined) this.#begin()
  }

  /**
   * Resolves when none is under way.
   * @throws what one of them failed with
   */
  async settled (): Promise<void> {
    await this.#running
    if (this.#error !== undefined) throw this.#error
  }

  /**
   * Resolves when all that was written is on the disk.
   * @throws what this or an earlier one failed with
   */
  async finish (): Promise<void> {
    await this.settled()
    this.#begin()
    await this.settled()
  }

  #begin (): void {
    const bytes = this.#begunAt = this.#bytes
    this.#running = this.#file.datasync()
      .then(() => { this.#flushed = bytes }, (error: Error) => { this.#error = error })
      .finally(() => { this.#running = undefined })
  }
}
