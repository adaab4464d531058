import { errors } from '../../errors.ts'
import type { CountedGroup, Counter } from '../../types.ts'

/**
 * Adds an entry to groups. If one of them is full, its stale entries are checked first.
 * @param remains - whether a stale entry still counts
 * @returns the name of the group that is full, if any
 * @throws FST_TUS_LOCKER_FAILED
 */
export async function count (
  counter: Counter, entry: string, groups: CountedGroup[], ttl: number, remains: (entry: string) => Promise<boolean>
): Promise<string | undefined> {
  try {
    for (;;) {
      const full = await counter.add(entry, groups, ttl)
      if (full === undefined) return undefined
      if (!await makeRoom(counter, full.name, full.stale, ttl, remains)) return full.name
    }
  } catch (cause) {
    throw new errors.LockerFailed({ cause })
  }
}

/** @returns whether an entry was removed */
async function makeRoom (
  counter: Counter, name: string, stale: string[], ttl: number, remains: (entry: string) => Promise<boolean>
): Promise<boolean> {
  for (const entry of stale) {
    // Other requests need not check it again.
    await counter.add(entry, [{ name, max: Infinity }], ttl)
    if (await remains(entry)) continue
    await counter.remove(entry)
    return true
  }
  return false
}
