import type { Append } from '../types.ts'
import { BackgroundFlush, FLUSH_BYTES } from './background-flush.ts'
import type { OpenFile } from './file-system.ts'
import { type Cursor, writeAll } from './write-all.ts'

export interface FileAppendOptions {
  /** Where the first byte goes. */
  offset: number
  /** Whether what is there is flushed now and then while more comes. */
  flushes: boolean
  /** Called when the bytes are in the file, before they count. */
  onCommit: (file: OpenFile, offset: number) => Promise<void>
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
  readonly #flush: BackgroundFlush

  constructor (file: OpenFile, options: FileAppendOptions) {
    this.#file = file
    this.#options = options
    this.#cursor = { position: options.offset }
    this.#flush = new BackgroundFlush(file, options.flushes ? FLUSH_BYTES : Infinity)
  }

  async write (buffers: Buffer[], bytes: number): Promise<void> {
    await writeAll(this.#file, this.#cursor, buffers, bytes)
    this.#flush.wrote(bytes)
  }

  commit (): Promise<number> {
    return this.#end(async () => {
      await this.#flush.settled()
      await this.#options.onCommit(this.#file, this.#cursor.position)
      return this.#cursor.position
    })
  }

  rollback (): Promise<number> {
    return this.#end(async () => {
      // None of it counts: it does not matter whether it was flushed.
      await this.#flush.settled().catch(() => {})
      await this.#file.truncate(this.#options.offset)
      return this.#options.offset
    })
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

  async #end (work: () => Promise<number>): Promise<number> {
    let sound = false
    try {
      const offset = await work()
      sound = true
      return offset
    } finally {
      await this.#options.onEnd(this.#file, sound)
    }
  }
}
