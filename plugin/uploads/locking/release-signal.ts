/**
 * Asks the holder of a lock to release it, once. An `AbortController` would work, but every request creates such a
 * signal, and controllers make V8 collect garbage nearly three times as often (docs/internals/performance.md).
 */
export class ReleaseSignal {
  #reason: Error | undefined
  #listener: (() => void) | undefined

  /** The error for the response, once the release is requested. */
  get reason (): Error | undefined {
    return this.#reason
  }

  request (reason: Error): void {
    if (this.#reason !== undefined) return
    this.#reason = reason
    this.#listener?.()
  }

  /** Sets the one listener, called once the release is requested; `undefined` removes it. */
  listen (listener: (() => void) | undefined): void {
    this.#listener = listener
  }
}
