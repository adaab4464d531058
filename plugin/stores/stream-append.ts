import { Readable } from 'node:stream'
import type { Append, CommitOptions, DataStore, Upload } from '../types.ts'

/** Whether a value can be a number of bytes. */
export function isBytes (value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

/** The methods of a store that takes streams. */
export interface StreamStore {
  write: NonNullable<DataStore['write']>
  declareLength: NonNullable<DataStore['declareUploadLength']>
}

/** An append to a store that takes a stream: batches go in at one end, `write` of the store reads at the other. */
export class StreamAppend implements Append {
  readonly #store: StreamStore
  readonly #upload: Upload
  readonly #stream: Readable
  readonly #written: Promise<number>
  #resume = () => {}
  #done = false

  constructor (store: StreamStore, upload: Upload) {
    this.#store = store
    this.#upload = upload
    this.#stream = new Readable({ read: () => this.#resume() })
    // A store may destroy the stream with an error before it rejects with the same error.
    this.#stream.on('error', () => {})
    this.#written = store.write(this.#stream, upload.id, upload.offset)
    // A store that has ended, with or without an error, stops reading. `commit` reports how it ended.
    const end = () => {
      this.#done = true
      this.#resume()
    }
    this.#written.then(end, end)
  }

  async write (buffers: Buffer[]): Promise<void> {
    const resumed = new Promise<void>((resolve) => { this.#resume = resolve })
    let hasRoom = true
    for (const buffer of buffers) hasRoom = this.#stream.push(buffer)
    if (!hasRoom && !this.#done) await resumed
  }

  async commit ({ size }: CommitOptions = {}): Promise<number> {
    this.#stream.push(null)
    const offset = this.#checked(await this.#written)
    if (size === undefined || size === this.#upload.size) return offset
    // The length is known only now, and such a store completes an upload in `write`.
    await this.#store.declareLength(this.#upload.id, size)
    return this.#checked(await this.#store.write(Readable.from([]), this.#upload.id, offset))
  }

  /** The store decides how much of the body is kept. */
  async rollback (): Promise<undefined> {
    this.#stream.destroy(new Error('The body was refused'))
    await this.#written.catch(() => {})
    return undefined
  }

  #checked (offset: unknown): number {
    if (!isBytes(offset) || offset > (this.#upload.size ?? Infinity)) {
      throw new TypeError(`The store wrote up to ${String(offset)}`)
    }
    return offset
  }
}
