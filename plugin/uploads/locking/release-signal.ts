/**
 * Asks the holder of a lock to release it, once. An `AbortController` would do, but every request creates one of these,
 * and a controller alone makes V8 collect garbage nearly three times as often (docs/internals/performance.md).
 */
export class ReleaseSignal {
  #reason: Error | undefined
  #listener: (() => void) | undefined

  /** The error to answer with, once the release is requested. */
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
