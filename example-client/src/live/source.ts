/**
 * A growing recording as a source for tus-js-client. It delivers bytes as soon as there are any,
 * so that each piece is sent at once, and keeps all of them for retries.
 */
export class LiveSource {
  #all = new Blob([])
  #ended = false
  #wake = () => {}

  get bytes (): number { return this.#all.size }

  add (piece: Blob): void {
    this.#all = new Blob([this.#all, piece])
    this.#wake()
  }

  end (): void {
    this.#ended = true
    this.#wake()
  }

  /** Bytes from `start` up to `end`, as soon as there are any. `done` if no more follow. */
  async slice (start: number, end: number): Promise<{ value: Blob, done: boolean }> {
    while (this.#all.size <= start && !this.#ended) {
      await new Promise<void>(resolve => { this.#wake = resolve })
    }
    return { value: this.#all.slice(start, end), done: this.#ended && this.#all.size <= end }
  }
}
