const KiB = 1024
const MiB = 1024 * KiB

/** What the visitor chooses once for all uploads. */
export interface Preferences {
  /** Bytes of one request. */
  sliceSize: number
  /** How many slices of one file travel at the same time. */
  lanes: number
  /** The largest file to copy into the browser's own storage, in bytes, so that a reload goes on by itself. */
  copyCap: number
  /** Whether files are sent at once, or looked at before. */
  startAtOnce: boolean
  language: 'en' | 'zh' | null
}

/** What there is to choose from. */
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
    // Reading the property throws where the visitor has forbidden all storage.
    return { ...defaults }
  }
}

export function savePreferences (preferences: Preferences): void {
  try {
    localStorage.setItem(key, JSON.stringify(preferences))
  } catch {
    // They count until the page is left.
  }
}
