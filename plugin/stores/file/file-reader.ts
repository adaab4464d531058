import { Readable } from 'node:stream'
import type { OpenFile } from './file-system/file-system.ts'

/** How much is read at a time, in bytes: as much as a reader that stalls keeps in memory. */
const PIECE_BYTES = 64 * 1024

/** How much is read at a time for a reader that has proven fast, in bytes. */
const LARGE_PIECE_BYTES = 512 * 1024

/** How many bytes a reader must have taken before it gets large pieces: more than the system buffers for a socket. */
const PROVEN_BYTES = 4 * 1024 * 1024

/** How many readers of a store have large pieces at a time, so that readers that stall later keep 16 MiB in all. */
const MAX_LARGE = 32

/** The readers of a store that have large pieces. */
export class LargePieces {
  #readers = 0

  take (): boolean {
    if (this.#readers === MAX_LARGE) return false
    this.#readers++
    return true
  }

  giveBack (): void {
    this.#readers--
  }
}

/** Whether the consumer has no more use for the bytes that it got so far. */
export type IsDone = () => boolean

/**
 * The bytes of a file, or those from `start` to `end`, both included. It has at most one piece of them in memory, and
 * reads the next one once that has been taken.
 *
 * Fresh memory costs more than reading into it: pages are faulted in, and the garbage collector runs. A consumer that
 * knows when it is done with a piece calls `reuseBuffer`; the next piece is then read into the same buffer.
 */
export class FileReader extends Readable {
  readonly #open: () => Promise<OpenFile>
  readonly #largePieces: LargePieces
  readonly #start: number
  readonly #end: number
  #file: OpenFile | undefined
  #position: number
  #reading: Promise<void> | undefined
  #isDone: IsDone | undefined
  #buffer = Buffer.alloc(0)
  #isLarge = false

  /** @param open - called once, before the first read */
  constructor (
    open: () => Promise<OpenFile>, largePieces: LargePieces, { start, end } = { start: 0, end: Infinity }
  ) {
    // No piece is read ahead: the buffer of the socket bridges the time of a read.
    super({ highWaterMark: 0 })
    this.#open = open
    this.#largePieces = largePieces
    this.#start = start
    this.#end = end
    this.#position = start
  }

  /**
   * From now on, bytes may be read into the same buffer. Pieces that were read before keep theirs.
   * @param isDone - `undefined` ends it
   */
  reuseBuffer (isDone: IsDone | undefined): void {
    this.#isDone = isDone
    // Another consumer may have got the last one.
    this.#buffer = Buffer.alloc(0)
  }

  override _read (): void {
    const length = Math.min(this.#pieceBytes(), this.#end + 1 - this.#position)
    if (length === 0) this.push(null)
    else this.#reading = this.#readInto(this.#bufferFor(length))
  }

  override _destroy (error: Error | null, done: (error: Error | null) => void): void {
    this.#close().then(() => done(error), done)
  }

  async #readInto (buffer: Buffer): Promise<void> {
    try {
      // Not in `_construct`: a stream without read-ahead then ignores a listener that waits for 'readable'.
      this.#file ??= await this.#open()
      const bytes = await this.#file.read(buffer, this.#position)
      this.#position += bytes
      this.push(bytes === 0 ? null : buffer.subarray(0, bytes))
    } catch (error) {
      this.destroy(error as Error)
    }
  }

  #pieceBytes (): number {
    if (this.#isDone === undefined || this.#position - this.#start < PROVEN_BYTES) return PIECE_BYTES
    this.#isLarge ||= this.#largePieces.take()
    return this.#isLarge ? LARGE_PIECE_BYTES : PIECE_BYTES
  }

  #bufferFor (length: number): Buffer {
    if (this.#isDone?.() !== true || this.readableLength > 0) return Buffer.allocUnsafeSlow(length)
    if (this.#buffer.length < length) this.#buffer = Buffer.allocUnsafeSlow(length)
    return this.#buffer.subarray(0, length)
  }

  async #close (): Promise<void> {
    if (this.#isLarge) this.#largePieces.giveBack()
    // The number of a closed descriptor may be that of another file before the read has begun.
    await this.#reading
    await this.#file?.close()
  }
}
