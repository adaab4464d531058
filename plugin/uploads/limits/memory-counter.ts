import type { CountedGroup, Counter, FullGroup } from '../../types.ts'

/** How many stale entries are reported at once. */
const MAX_STALE = 100

/** Counts for one process. */
export class MemoryCounter implements Counter {
  /** When each entry of a group becomes stale, in ms since the epoch; those that were extended last come last. */
  readonly #groups = new Map<string, Map<string, number>>()
  readonly #groupsOf = new Map<string, Set<string>>()

  async add (entry: string, groups: CountedGroup[], ttl: number): Promise<FullGroup | undefined> {
    const full = groups.find(({ name, max }) => {
      const entries = this.#entriesOf(name)
      return entries.size >= max && !entries.has(entry)
    })
    if (full !== undefined) return { name: full.name, stale: this.#staleOf(full.name) }
    for (const { name } of groups) this.#addTo(name, entry, Date.now() + ttl)
    return undefined
  }

  async remove (entry: string): Promise<void> {
    for (const name of this.#groupsOf.get(entry) ?? []) {
      const entries = this.#groups.get(name) as Map<string, number>
      entries.delete(entry)
      if (entries.size === 0) this.#groups.delete(name)
    }
    this.#groupsOf.delete(entry)
  }

  #addTo (name: string, entry: string, staleAt: number): void {
    const entries = this.#entriesOf(name)
    entries.delete(entry)
    this.#groups.set(name, entries.set(entry, staleAt))
    const groups = this.#groupsOf.get(entry) ?? new Set()
    this.#groupsOf.set(entry, groups.add(name))
  }

  #staleOf (name: string): string[] {
    const now = Date.now()
    return [...this.#entriesOf(name)].filter(([, staleAt]) => staleAt < now).slice(0, MAX_STALE).map(([entry]) => entry)
  }

  #entriesOf (name: string): Map<string, number> {
    return this.#groups.get(name) ?? new Map<string, number>()
  }
}
