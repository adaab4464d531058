import type { Upload } from '../../types.ts'
import { StoredUpload } from '../stored-upload.ts'
import type { FileSystem, OpenFile } from './file-system/file-system.ts'
import type { FileRecords } from './records.ts'

/**
 * Recovery after a failed fsync. The kernel reports the failure only once; later calls succeed. So the upload is
 * truncated at once to what is known to be on disk, and the client sends the rest again.
 */
export class FailedSyncs {
  readonly #fs: FileSystem
  readonly #records: FileRecords
  /** Uploads that could not be truncated. */
  readonly #lost = new Set<string>()

  constructor (fs: FileSystem, records: FileRecords) {
    this.#fs = fs
    this.#records = records
  }

  /** Whether the bytes of an upload can no longer be trusted, for the lifetime of this process. */
  isLost (id: string): boolean {
    return this.#lost.has(id)
  }

  forget (id: string): void {
    this.#lost.delete(id)
  }

  /**
   * Makes an upload end at its last byte that is known to be on disk. Lowers the verified offset if the record has one,
   * otherwise truncates the file. If the first of these fails, tries the other; if both fail, the upload is lost.
   */
  async truncateToSynced (upload: Upload, file: OpenFile, synced: number): Promise<void> {
    const { id, complete, concatenation, verified = Infinity } = upload
    const record = new StoredUpload({
      ...upload,
      complete: complete === true ? false : complete,
      verified: Math.min(verified, synced)
    })
    const recordOffset = () => this.#records.set(id, record, true)
    const truncate = () => file.truncate(synced)
    const isRecorded = verified !== Infinity || (concatenation?.parts !== undefined && complete === true)
    const [first, second] = isRecorded ? [recordOffset, truncate] : [truncate, recordOffset]
    await first().catch(second).catch(() => { this.#lost.add(id) })
  }

  /**
   * Syncs what another process may have written. If that fails, none of it counts.
   * @throws the error of the sync
   */
  async sync (upload: Upload, file: string): Promise<void> {
    const opened = await this.#fs.open(file, 'r+')
    try {
      await opened.datasync().catch(async (error: unknown) => {
        await this.truncateToSynced(upload, opened, 0)
        throw error
      })
    } finally {
      await opened.close()
    }
  }
}
