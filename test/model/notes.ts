import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'

/** The calls of the app's hooks for one upload, in order. */
interface Calls {
  hooks: number
  /** The process in which the finish hook ran last, and whether that was recorded. */
  by: string
  isMarked: boolean
}

/**
 * Reads the notes of a server: the finish hook of an upload may run again only if its process was killed before it had
 * recorded the first run, or if another process finishes the upload at the same time.
 * @param isExclusive - whether only one process at a time finishes an upload
 * @returns the uploads for which the hook ran
 */
export async function checkNotes (file: string, isExclusive: boolean): Promise<Set<string>> {
  return new Set((await readNotes(file, isExclusive)).keys())
}

/** How often the finish hook ran for each upload. */
export async function readNotes (file: string, isExclusive = true): Promise<Map<string, number>> {
  const calls = new Map<string, Calls>()
  const text = await readFile(file, 'utf8').catch(() => '')
  for (const line of text.split('\n').slice(0, -1)) {
    const [word, id, by] = line.split(' ') as [string, string, string]
    const earlier = calls.get(id)
    if (word === 'hook') {
      const isAllowed = earlier === undefined || (earlier.by !== by && !(isExclusive && earlier.isMarked))
      assert(isAllowed, `the finish hook of ${id} ran twice`)
      calls.set(id, { hooks: (earlier?.hooks ?? 0) + 1, by, isMarked: false })
    } else if (earlier !== undefined) {
      earlier.isMarked = true
    }
  }
  return new Map([...calls].map(([id, { hooks }]) => [id, hooks]))
}
