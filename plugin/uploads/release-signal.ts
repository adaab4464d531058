/**
 * Asks whoever works on an upload to let go, once. An AbortController would do it too. But every request makes one, and
 * that alone makes V8 collect garbage nearly three times as often (docs/performance.md).
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
