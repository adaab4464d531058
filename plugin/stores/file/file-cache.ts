import type { StoredUpload } from '../stored-upload.ts'
import type { OpenFile } from './file-system/file-system.ts'

export interface CacheLimits {
  /** Uploads whose records are cached. */
  records: number
  /** Uploads whose files stay open. */
  files: number
  /** How long an unused file stays open, in ms; up to twice as long. */
  openMs: number
}

/** About a MiB of records, and a small share of the descriptors that a process may have. */
export const CACHE_LIMITS: CacheLimits = { records: 1000, files: 100, openMs: 2000 }
/** For directories that other processes write to without saying so. */
export const NO_CACHE: CacheLimits = { records: 0, files: 0, openMs: 0 }

interface CachedRecord {
  record: StoredUpload
  /** The size of the file after the last write of this process, in bytes. */
  bytes: number
  /** How many of them are known to be on disk; `undefined` if unknown. */
  synced: number | undefined
  tenure: number
}

/** As `tenure` of a locker: a number that lasts until another process may have written to an upload. */
export type Tenure = (id: string) => number | undefined

interface CachedFile {
  file: OpenFile
  since: number
}

/**
 * An LRU cache of recently written uploads: their records and, briefly, their open files. The next append then takes
 * two system calls instead of nine: reading the record and opening and closing both files cost more than 64 KiB of
 * bytes.
 *
 * An entry is valid as long as no other process may have written to the upload. `getUpload` still checks the size of
 * the file, and reads the record again if the file has grown or is gone. A file is in the cache only while nothing uses
 * it.
 */
export class FileCache {
  readonly #records = new Map<string, CachedRecord>()
  readonly #files = new Map<string, CachedFile>()
  /** Reads under way whose result may still be cached. */
  readonly #reads = new Map<string, object>()
  readonly #limits: CacheLimits
  readonly #tenure: Tenure
  #timer: NodeJS.Timeout | undefined

  constructor (limits: CacheLimits, tenure: Tenure = () => 0) {
    this.#limits = limits
    this.#tenure = tenure
  }

  has (id: string): boolean {
    return this.#valid(id) !== undefined
  }

  /**
   * @param bytes - the current size of the file; `undefined` if it does not exist
   * @returns `undefined` if the file has changed since
   */
  recordOf (id: string, bytes: number | undefined): StoredUpload | undefined {
    const cached = this.#valid(id)
    return cached !== undefined && cached.bytes === bytes ? cached.record : undefined
  }

  /** How many bytes are known to be on disk; `undefined` if unknown. */
  syncedOf (id: string): number | undefined {
    return this.#valid(id)?.synced
  }

  remember (id: string, record: StoredUpload, bytes: number, synced?: number): void {
    const tenure = this.#tenure(id)
    if (tenure === undefined) return this.forget(id)
    this.#reads.delete(id)
    // A Map keeps the order of insertion: deleted and set again, the entry is the newest.
    this.#records.delete(id)
    this.#records.set(id, { record, bytes, synced, tenure })
    if (this.#records.size > this.#limits.records) this.forget(oldestOf(this.#records))
  }

  /**
   * Reads a record.
   * @param read - returns the record, and the size of its file; `isCacheable` records are cached unless they are
   *   replaced in the meantime
   */
  async readThrough (
    id: string, read: () => Promise<{ record: StoredUpload, bytes: number, isCacheable: boolean }>
  ): Promise<StoredUpload> {
    const token = {}
    const tenure = this.#tenure(id)
    this.#reads.set(id, token)
    try {
      const { record, bytes, isCacheable } = await read()
      const isCurrent = this.#reads.get(id) === token && this.#tenure(id) === tenure
      if (isCacheable && isCurrent) this.remember(id, record, bytes)
      return record
    } finally {
      if (this.#reads.get(id) === token) this.#reads.delete(id)
    }
  }

  /** Gives the open file, if any, to one user. */
  takeFile (id: string): OpenFile | undefined {
    if (!this.has(id)) return undefined
    const cached = this.#files.get(id)
    this.#files.delete(id)
    return cached?.file
  }

  /** Keeps a file open for its next user, or closes it. */
  async keepFile (id: string, file: OpenFile): Promise<void> {
    // Without a cached record the upload is complete, or was deleted in the meantime.
    if (!this.has(id) || this.#files.has(id)) return await file.close()
    this.#files.set(id, { file, since: performance.now() })
    this.#closeLater()
    if (this.#files.size > this.#limits.files) this.#close(oldestOf(this.#files))
  }

  /** Closes all cached files; resolves once their descriptors are free. The records stay. */
  async closeFiles (): Promise<void> {
    const cached = [...this.#files.values()]
    this.#files.clear()
    await Promise.all(cached.map(({ file }) => file.close().catch(() => {})))
  }

  forget (id: string): void {
    this.#reads.delete(id)
    this.#records.delete(id)
    this.#close(id)
  }

  /** Like `closeFiles`, and stops the timer. */
  async close (): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    await this.closeFiles()
  }

  #closeLater (): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      const latest = performance.now() - this.#limits.openMs
      for (const [id, { since }] of this.#files) {
        if (since <= latest) this.#close(id)
      }
      if (this.#files.size > 0) this.#closeLater()
    }, this.#limits.openMs).unref()
  }

  #close (id: string): void {
    const cached = this.#files.get(id)
    this.#files.delete(id)
    // Every write through this descriptor has already been confirmed.
    cached?.file.close().catch(() => {})
  }

  /** The cached record, unless another process may have written since. */
  #valid (id: string): CachedRecord | undefined {
    const cached = this.#records.get(id)
    if (cached === undefined || cached.tenure === this.#tenure(id)) return cached
    this.forget(id)
    return undefined
  }
}

function oldestOf (map: Map<string, unknown>): string {
  return map.keys().next().value as string
}
