/** Waits for conditions to become true. */
export class Until {
  #listeners: Array<() => void> = []

  /** Resolves once `done()` returns true after a change, or after `timeout` ms. */
  async true (done: () => boolean, timeout?: number): Promise<void> {
    if (done()) return
    await new Promise<void>(resolve => {
      const timer = timeout === undefined ? undefined : setTimeout(resolve, timeout)
      this.#listeners.push(() => {
        if (!done()) return
        clearTimeout(timer)
        resolve()
      })
    })
  }

  /** Checks the conditions again. */
  changed (): void {
    for (const listener of this.#listeners) listener()
  }
}
