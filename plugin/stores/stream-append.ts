import { Readable } from 'node:stream'
import type { Append, DataStore } from '../types.ts'

/** An append to a store that takes a stream: batches go in at one end, and `write` of the store reads the other. */
export class StreamAppend implements Append {
  readonly #stream: Readable
  readonly #stored: Promise<number>
  #wanted = () => {}

  constructor (store: DataStore, id: string, offset: number) {
    this.#stream = new Readable({ read: () => this.#wanted() })
    // A store may destroy the stream with an error before it rejects with the same.
    this.#stream.on('error', () => {})
    this.#stored = store.write(this.#stream, id, offset)
    this.#stored.catch(() => {})
  }

  async write (buffers: Buffer[]): Promise<void> {
    const wanted = new Promise<void>((resolve) => { this.#wanted = resolve })
    let more = true
    for (const buffer of buffers) more = this.#stream.push(buffer)
    if (!more) await Promise.race([wanted, this.#stored])
  }

  async commit (): Promise<number> {
    this.#stream.push(null)
    return await this.#stored
  }

  async rollback (): Promise<void> {
    this.#stream.destroy(new Error('The body was refused'))
    await this.#stored.catch(() => {})
  }
}
