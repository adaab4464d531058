import type { Child } from '../child.ts'

/** A server of the cluster, which can be killed and started again. */
export class ClusterServer {
  readonly name: string
  #start: () => Promise<Child>
  #child: Child | undefined

  constructor (name: string, start: () => Promise<Child>) {
    this.name = name
    this.#start = start
  }

  /** The URL for creations; `undefined` while the server does not run. */
  get endpoint (): string | undefined {
    return this.#child?.endpoint
  }

  /** Resolves with its name, its process and its URL, for the output. */
  async start (): Promise<string> {
    this.#child = await this.#start()
    return `${this.name}  process ${this.#child.pid}, ${this.#child.endpoint}`
  }

  async kill (): Promise<void> {
    const child = this.#child
    this.#child = undefined
    await child?.kill()
  }
}
