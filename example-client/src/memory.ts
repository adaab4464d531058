/** What the browser remembers of an upload that is not finished. */
export interface Remembered {
  url: string
  name: string
  savedAt: number
}

/** Where it is kept: `localStorage`, as far as it is needed here. */
export interface KeyValueStorage {
  readonly length: number
  key (index: number): string | null
  getItem (key: string): string | null
  setItem (key: string, value: string): void
  removeItem (key: string): void
}

const keyPrefix = 'fastify-tus:'
const longest = 7 * 24 * 60 * 60 * 1000

/** Remembers the URLs of unfinished uploads by endpoint and fingerprint, for a week. */
export class Memory {
  #storage: KeyValueStorage | null
  #keyPrefix: string

  /** `storage` is `null` where the browser has none, as with cookies switched off: then nothing is remembered. */
  constructor (storage: KeyValueStorage | null, endpoint: string) {
    this.#storage = storage
    this.#keyPrefix = `${keyPrefix}${endpoint}:`
  }

  get (fingerprint: string): Remembered | null {
    return this.#read(this.#keyPrefix + fingerprint)
  }

  set (fingerprint: string, upload: Remembered): void {
    try {
      this.#storage?.setItem(this.#keyPrefix + fingerprint, JSON.stringify(upload))
    } catch {
      // Full: the upload goes on, only a reload loses it.
    }
  }

  delete (fingerprint: string): void {
    this.#storage?.removeItem(this.#keyPrefix + fingerprint)
  }

  /** The newest unfinished upload. Forgets those that are too old on the way. */
  latest (now: number): Remembered | null {
    let latest: Remembered | null = null
    for (const key of this.#keys()) {
      const upload = this.#read(key)
      if (!upload || now - upload.savedAt > longest) {
        this.#storage?.removeItem(key)
      } else if (!latest || upload.savedAt > latest.savedAt) {
        latest = upload
      }
    }
    return latest
  }

  #keys (): string[] {
    const storage = this.#storage
    if (!storage) return []
    const all = Array.from({ length: storage.length }, (_, index) => storage.key(index) as string)
    return all.filter(key => key.startsWith(this.#keyPrefix))
  }

  #read (key: string): Remembered | null {
    try {
      return JSON.parse(this.#storage?.getItem(key) ?? 'null') as Remembered | null
    } catch {
      return null
    }
  }
}
