import type { CountedGroup, Counter, FullGroup } from '../../types.ts'
import type { RedisClient } from './client.ts'
import { addScript, groupsScript, removeScript } from './counter-scripts.ts'
import { runScript } from './script.ts'

/** Counts in Redis. */
export class RedisCounter implements Counter {
  readonly #client: RedisClient
  readonly #prefix: string

  constructor (client: RedisClient, prefix: string) {
    this.#client = client
    // One slot of a cluster: an entry is in several groups.
    this.#prefix = `${prefix}{counts}:`
  }

  async add (entry: string, groups: CountedGroup[], ttl: number): Promise<FullGroup | undefined> {
    const names = groups.map(({ name }) => name)
    const limits = groups.map(({ max }) => String(max === Infinity ? -1 : max))
    const args = [entry, String(ttl), ...limits, ...names]
    const full = await runScript(this.#client, addScript, this.#keys(entry, names), args)
    if (full === null) return undefined
    const [index, ...stale] = full as [index: number, ...stale: string[]]
    return { name: names[index - 1] as string, stale }
  }

  async remove (entry: string): Promise<void> {
    const names = await runScript(this.#client, groupsScript, this.#keys(entry, []), []) as string[]
    await runScript(this.#client, removeScript, this.#keys(entry, names), [entry])
  }

  #keys (entry: string, groups: string[]): string[] {
    return [`${this.#prefix}entry:${entry}`, ...groups.map((name) => `${this.#prefix}group:${name}`)]
  }
}
