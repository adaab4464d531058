import type { Append } from '../../types.ts'
import type { OpenFile } from './file-system.ts'
import { FLUSH_BYTES, Flushes } from './background-sync.ts'
import { type Cursor, writeAll } from './write-all.ts'

export interface FileAppendOptions {
  /** Where the first byte goes. */
  offset: number
  /** How many bytes are known to be on the disk; `undefined` where nobody knows. */
  flushed: number | undefined
  /** Whether what is there is flushed now and then while more comes. */
  flushes: boolean
  /** Called when the bytes are in the file, before they count. */
  onCommit: (offset: number, flushes: Flushes) => Promise<void>
  /** Called where a flush failed: only so many bytes are known to be on the disk. Does not reject. */
  onDoubt: (file: OpenFile, flushed: number) => Promise<void>
  /** Called once, however the append ends: closes the file, or keeps it for the next one if it is `sound`. */
  onEnd: (file: OpenFile, sound: boolean) => Promise<void>
}

/** How much of what was written is read back at a time. */
const READ_BACK_BYTES = 1024 * 1024

/** One append to an open file, in batches of buffers. */
export class FileAppend implements Append {
  readonly keepsNothing = true
  readonly #file: OpenFile
  readonly #options: FileAppendOptions
  readonly #cursor: Cursor
  readonly #flushes: Flushes

  constructor (file: OpenFile, options: FileAppendOptions) {
    this.#file = file
    this.#options = options
    this.#cursor = { position: options.offset }
    const { offset, flushed, flushes } = options
    this.#flushes = new Flushes(file, { bytes: offset, flushed, every: flushes ? FLUSH_BYTES : Infinity })
  }

  async write (buffers: Buffer[], bytes: number): Promise<void> {
    await writeAll(this.#file, this.#cursor, buffers, bytes)
    this.#flushes.wrote(bytes)
  }

  commit (): Promise<number> {
    return this.#end(this.#cursor.position, (offset) => this.#options.onCommit(offset, this.#flushes))
  }

  rollback (): Promise<number> {
    return this.#end(this.#options.offset, (offset) => this.#file.truncate(offset))
  }

  /** Cuts the file off where the append begins; where that fails, the append has ended. */
  async reset (): Promise<void> {
    try {
      await this.#file.truncate(this.#options.offset)
    } catch (error) {
      await this.#options.onEnd(this.#file, false)
      throw error
    }
  }

  async * readBack (): AsyncGenerator<Buffer> {
    const buffer = Buffer.allocUnsafe(READ_BACK_BYTES)
    for (let position = this.#options.offset; position < this.#cursor.position;) {
      const bytesRead = await this.#file.read(buffer, position)
      yield buffer.subarray(0, bytesRead)
      position += bytesRead
    }
  }

  async #end (offset: number, work: (offset: number) => Promise<void>): Promise<number> {
    let sound = false
    try {
      await this.#flushes.settled()
      await work(offset)
      sound = true
      return offset
    } finally {
      const { hasFailed, flushed } = this.#flushes
      if (hasFailed) await this.#options.onDoubt(this.#file, Math.min(flushed, offset))
      await this.#options.onEnd(this.#file, sound)
    }
  }
}
