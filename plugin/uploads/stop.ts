/**
 * Asks whoever works on an upload to let go, once. What an AbortController would do too: but each request makes one,
 * and there are few things that cost the garbage collector as much (a seventh of the processor time of small appends).
 */
export class Stop {
  #reason: Error | undefined
  #listener: (() => void) | undefined

  /** The error to answer, once it was asked for. */
  get reason (): Error | undefined {
    return this.#reason
  }

  request (reason: Error): void {
    if (this.#reason !== undefined) return
    this.#reason = reason
    this.#listener?.()
  }

  /** Has the one listener called when it is asked for; `undefined` for none any more. */
  listen (listener: (() => void) | undefined): void {
    this.#listener = listener
  }
}
