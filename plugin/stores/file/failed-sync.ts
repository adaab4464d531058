import type { Upload } from '../../types.ts'
import type { FileSystem, OpenFile } from './file-system.ts'
import type { FileRecords } from './records.ts'
import { StoredUpload } from '../stored-upload.ts'

/**
 * Uploads of which a flush failed. The system tells of that once; who asks later hears that all is well. So what may
 * not be on the disk is taken back at once, and sent again by the client.
 */
export class Doubtful {
  readonly #fs: FileSystem
  readonly #records: FileRecords
  /** Those that could not be cut off. */
  readonly #lost = new Set<string>()

  constructor (fs: FileSystem, records: FileRecords) {
    this.#fs = fs
    this.#records = records
  }

  /** Whether the upload can be trusted no more, until this process ends. */
  isLost (id: string): boolean {
    return this.#lost.has(id)
  }

  forget (id: string): void {
    this.#lost.delete(id)
  }

  /**
   * Makes an upload end behind its last byte that is known to be on the disk: by its record where that tells of bytes,
   * otherwise by cutting off its file; where the one fails, by the other. Where both do, it is lost.
   */
  async takeBack (upload: Upload, file: OpenFile, flushed: number): Promise<void> {
    const { id, concatenation, verified = Infinity } = upload
    const joined = concatenation && { ...concatenation, joined: false }
    const record = new StoredUpload({ ...upload, concatenation: joined, verified: Math.min(verified, flushed) })
    const note = () => this.#records.set(id, record, true)
    const cut = () => file.truncate(flushed)
    const isRecorded = verified !== Infinity || concatenation?.joined === true
    const [first, second] = isRecorded ? [note, cut] : [cut, note]
    await first().catch(second).catch(() => { this.#lost.add(id) })
  }

  /**
   * Flushes what another process may have written; where that fails, nothing counts.
   * @throws what the flush failed with
   */
  async flush (upload: Upload, file: string): Promise<void> {
    const opened = await this.#fs.open(file, 'r+')
    try {
      await opened.datasync().catch(async (error: unknown) => {
        await this.takeBack(upload, opened, 0)
        throw error
      })
    } finally {
      await opened.close()
    }
  }
}
