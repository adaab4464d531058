import type { FileHandle } from 'node:fs/promises'
import type { Append } from '../types.ts'

export interface FileAppendOptions {
  /** Where the first byte goes. */
  offset: number
  /** Called when the bytes are in the file, before they count. */
  onCommit: (handle: FileHandle, offset: number) => Promise<void>
  /** Called once, however the append ends. */
  onEnd: () => void
}

/** How much of what was written is read back at a time. */
const READ_BACK_BYTES = 1024 * 1024

/** One append to a file: one open and one close, and batches of buffers in between. */
export class FileAppend implements Append {
  readonly #handle: FileHandle
  readonly #options: FileAppendOptions
  #position: number

  constructor (handle: FileHandle, options: FileAppendOptions) {
    this.#handle = handle
    this.#options = options
    this.#position = options.offset
  }

  async write (buffers: Buffer[], bytes: number): Promise<void> {
    let rest = buffers
    let left = bytes
    for (;;) {
      const { bytesWritten } = await this.#handle.writev(rest, this.#position)
      this.#position += bytesWritten
      left -= bytesWritten
      if (left === 0) return
      if (bytesWritten === 0) throw Object.assign(new Error('The file system takes no bytes'), { code: 'EIO' })
      // A disk that fills up takes a part; the next call tells why.
      rest = skip(rest, bytesWritten)
    }
  }

  async commit (): Promise<number> {
    try {
      await this.#options.onCommit(this.#handle, this.#position)
      return this.#position
    } finally {
      await this.#end()
    }
  }

  async rollback (): Promise<number> {
    try {
      await this.#handle.truncate(this.#options.offset)
      return this.#options.offset
    } finally {
      await this.#end()
    }
  }

  /** Cuts the file off where the append begins. */
  async reset (): Promise<void> {
    await this.#handle.truncate(this.#options.offset).catch(async (error: unknown) => {
      await this.#end()
      throw error
    })
  }

  async * readBack (): AsyncGenerator<Buffer> {
    const buffer = Buffer.allocUnsafe(READ_BACK_BYTES)
    for (let position = this.#options.offset; position < this.#position;) {
      const { bytesRead } = await this.#handle.read(buffer, 0, READ_BACK_BYTES, position)
      yield buffer.subarray(0, bytesRead)
      position += bytesRead
    }
  }

  async #end (): Promise<void> {
    this.#options.onEnd()
    await this.#handle.close()
  }
}

function skip (buffers: Buffer[], bytes: number): Buffer[] {
  let left = bytes
  return buffers.flatMap((buffer) => {
    const skipped = Math.min(left, buffer.length)
    left -= skipped
    return skipped === buffer.length ? [] : [buffer.subarray(skipped)]
  })
}
