/**
 * A recording that grows, as a source for tus-js-client. It hands out whatever there is as soon as there is something,
 * so that each piece leaves at once; and it keeps all, so that anything can be sent again.
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

  /** Bytes from `start`, once there are any, up to `end`; `done` when there will be no more behind them. */
  async slice (start: number, end: number): Promise<{ value: Blob, done: boolean }> {
    while (this.#all.size <= start && !this.#ended) {
      await new Promise<void>(resolve => { this.#wake = resolve })
    }
    return { value: this.#all.slice(start, end), done: this.#ended && this.#all.size <= end }
  }
}
