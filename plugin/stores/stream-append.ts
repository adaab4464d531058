import { Readable } from 'node:stream'
import type { Append, DataStore, Upload } from '../types.ts'

/** Whether it can be a number of bytes. */
export function isBytes (value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

/** An append to a store that takes a stream: batches go in at one end, and `write` of the store reads the other. */
export class StreamAppend implements Append {
  readonly #stream: Readable
  readonly #stored: Promise<number>
  readonly #size: number | undefined
  #wanted = () => {}
  #done = false

  constructor (store: DataStore, { id, offset, size }: Upload) {
    this.#size = size
    this.#stream = new Readable({ read: () => this.#wanted() })
    // A store may destroy the stream with an error before it rejects with the same.
    this.#stream.on('error', () => {})
    this.#stored = store.write(this.#stream, id, offset)
    // A store that is done, well or not, wants no more; what came of it is told by `commit`.
    const end = () => {
      this.#done = true
      this.#wanted()
    }
    this.#stored.then(end, end)
  }

  async write (buffers: Buffer[]): Promise<void> {
    const wanted = new Promise<void>((resolve) => { this.#wanted = resolve })
    let more = true
    for (const buffer of buffers) more = this.#stream.push(buffer)
    if (!more && !this.#done) await wanted
  }

  async commit (): Promise<number> {
    this.#stream.push(null)
    const offset: unknown = await this.#stored
    if (!isBytes(offset) || offset > (this.#size ?? Infinity)) throw new TypeError(`The store wrote up to ${String(offset)}`)
    return offset
  }

  /** What the store keeps of it is the store's affair. */
  async rollback (): Promise<undefined> {
    this.#stream.destroy(new Error('The body was refused'))
    await this.#stored.catch(() => {})
    return undefined
  }
}
