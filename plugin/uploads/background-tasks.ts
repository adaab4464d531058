/** Work that no request waits for, and that ends before the app does. */
export class BackgroundTasks {
  readonly #running = new Set<Promise<void>>()

  /** @param task - must not reject */
  run (task: () => Promise<void>): void {
    const running = task().finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  async settled (): Promise<void> {
    await Promise.all(this.#running)
  }
}
