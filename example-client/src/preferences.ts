const KiB = 1024
const MiB = 1024 * KiB

/** The settings of the visitor for all uploads. */
export interface Preferences {
  /** The size of a request body, in bytes. */
  sliceSize: number
  /** How many slices of a file are sent in parallel. */
  lanes: number
  /** The largest file to copy into the storage of the browser, in bytes. It resumes automatically after a reload. */
  copyCap: number
  /** Whether uploads start at once or wait for the visitor. */
  startAtOnce: boolean
  language: 'en' | 'zh' | null
}

/** The choices. */
export const choices = {
  sliceSize: [256 * KiB, MiB, 4 * MiB, 8 * MiB, 16 * MiB, 32 * MiB, 64 * MiB],
  lanes: [1, 2, 3, 4],
  copyCap: [0, 64 * MiB, 512 * MiB, 2048 * MiB]
}

const defaults: Preferences = {
  sliceSize: 8 * MiB,
  lanes: 1,
  copyCap: 512 * MiB,
  startAtOnce: true,
  language: null
}
const key = 'fastify-tus:preferences'

export function loadPreferences (): Preferences {
  try {
    return { ...defaults, ...JSON.parse(localStorage.getItem(key) ?? '{}') as Partial<Preferences> }
  } catch {
    // Reading the property throws if the visitor has disabled all storage.
    return { ...defaults }
  }
}

export function savePreferences (preferences: Preferences): void {
  try {
    localStorage.setItem(key, JSON.stringify(preferences))
  } catch {
    // They apply until the visitor leaves the page.
  }
}
