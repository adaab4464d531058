/** Waits for something that others make come true. */
export class Until {
  #listeners: Array<() => void> = []

  /** Resolves as soon as `done()` after a change, or after `timeout` ms. */
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

  /** Something has changed. */
  changed (): void {
    for (const listener of this.#listeners) listener()
  }
}
