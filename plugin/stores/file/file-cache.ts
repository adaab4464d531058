import type { OpenFile } from './file-system.ts'
import type { StoredUpload } from '../stored-upload.ts'

export interface AtHandLimits {
  /** Of how many uploads the records are kept at most. */
  records: number
  /** Of how many uploads the file stays open. */
  files: number
  /** How long a file stays open for the next append, in ms; up to twice as long. */
  openMs: number
}

/** What one process keeps at hand: most often a MiB of records, and few of the descriptors that it may have. */
export const AT_HAND: AtHandLimits = { records: 1000, files: 100, openMs: 2000 }
/** Where another process writes to the same directory. */
export const NOTHING_AT_HAND: AtHandLimits = { records: 0, files: 0, openMs: 0 }

interface Known {
  record: StoredUpload
  /** The size of the file when this process had last written to it, in bytes. */
  bytes: number
  /** How many of them are known to be on the disk; `undefined` where nobody knows. */
  flushed: number | undefined
}

interface Kept {
  file: OpenFile
  since: number
}

/**
 * What a process has at hand of the uploads that it wrote to last: the record, and for a moment the open file. The next
 * append then makes two calls of the file system, where it would make nine: reading the record and opening and closing
 * both files cost more than 64 KiB of bytes do.
 *
 * Only where nobody else writes to the directory. `getUpload` looks at the file each time all the same, and what
 * another has grown or deleted meanwhile is read anew. A file is in here only while nobody uses it.
 */
export class AtHand {
  readonly #records = new Map<string, Known>()
  readonly #files = new Map<string, Kept>()
  readonly #limits: AtHandLimits
  #timer: NodeJS.Timeout | undefined

  constructor (limits: AtHandLimits) {
    this.#limits = limits
  }

  has (id: string): boolean {
    return this.#records.has(id)
  }

  /**
   * @param bytes - the size of the file now; `undefined` where it is gone
   * @returns `undefined` where the file is not as it was left
   */
  recordOf (id: string, bytes: number | undefined): StoredUpload | undefined {
    const known = this.#records.get(id)
    return known !== undefined && known.bytes === bytes ? known.record : undefined
  }

  /** How many bytes are known to be on the disk; `undefined` where nobody knows. */
  flushedOf (id: string): number | undefined {
    return this.#records.get(id)?.flushed
  }

  remember (id: string, record: StoredUpload, bytes: number, flushed?: number): void {
    // Deleted and set again, an entry is the youngest.
    this.#records.delete(id)
    this.#records.set(id, { record, bytes, flushed })
    if (this.#records.size > this.#limits.records) this.forget(oldestOf(this.#records))
  }

  /** Hands out the open file, if there is one, to one user. */
  takeFile (id: string): OpenFile | undefined {
    const kept = this.#files.get(id)
    this.#files.delete(id)
    return kept?.file
  }

  /** Keeps a file open for the next user for a moment, or closes it. */
  async keepFile (id: string, file: OpenFile): Promise<void> {
    // Without its record it is of an upload that is whole, or was deleted meanwhile.
    if (!this.#records.has(id) || this.#files.has(id)) return await file.close()
    this.#files.set(id, { file, since: performance.now() })
    this.#closeLater()
    if (this.#files.size > this.#limits.files) this.#close(oldestOf(this.#files))
  }

  /** Closes all files that are kept, and resolves once their descriptors are free; the records stay. */
  async closeFiles (): Promise<void> {
    const kept = [...this.#files.values()]
    this.#files.clear()
    await Promise.all(kept.map(({ file }) => file.close().catch(() => {})))
  }

  forget (id: string): void {
    this.#records.delete(id)
    this.#close(id)
  }

  /** Like `closeFiles`, and leaves no timer behind. */
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
    // All that was written through it was seen to be written.
    this.takeFile(id)?.close().catch(() => {})
  }
}

function oldestOf (map: Map<string, unknown>): string {
  return map.keys().next().value as string
}
