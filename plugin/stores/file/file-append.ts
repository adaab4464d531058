import type { Append, AppendOptions, CommitOptions, Upload } from '../../types.ts'
import { isComplete, StoredUpload } from '../stored-upload.ts'
import { BackgroundSync, SYNC_BYTES } from './background-sync.ts'
import type { OpenFile } from './file-system/file-system.ts'
import type { StoreState } from './store-state.ts'
import { type Cursor, writeAll } from './file-system/write-all.ts'

/** How much is read back at a time, in bytes. */
const READ_BACK_BYTES = 1024 * 1024

/** One append to an open file. */
export class FileAppend implements Append {
  readonly #state: StoreState
  readonly #file: OpenFile
  /** As it was before the append. */
  readonly #upload: Upload
  readonly #declaredSize: number | undefined
  readonly #isUnverified: boolean
  readonly #cursor: Cursor
  readonly #sync: BackgroundSync

  /** @param synced - how many bytes of the file are known to be on disk; `undefined` if unknown */
  constructor (state: StoreState, file: OpenFile, upload: Upload, options: AppendOptions, synced: number | undefined) {
    const { offset } = upload
    this.#state = state
    this.#file = file
    this.#upload = upload
    this.#declaredSize = options.size
    this.#isUnverified = options.unverified === true
    this.#cursor = { position: offset }
    const every = state.durability === 'none' ? Infinity : SYNC_BYTES
    this.#sync = new BackgroundSync(file, { bytes: offset, synced, every })
  }

  get stored (): number {
    return this.#isRecorded ? this.#upload.offset : this.#cursor.position
  }

  async write (buffers: Buffer[], bytes: number): Promise<void> {
    await writeAll(this.#file, this.#cursor, buffers, bytes)
    this.#sync.wrote(bytes)
  }

  async commit ({ size = this.#declaredSize, complete }: CommitOptions = {}): Promise<number> {
    const { id } = this.#upload
    const { position } = this.#cursor
    const record = this.#recordAt(position, size, complete)
    const isWhole = isComplete(record)
    await this.#end(async () => {
      const { durability, records, cache, synced } = this.#state
      if (durability === 'every-append' || (durability === 'finished' && isWhole)) await this.#sync.finish()
      if (isWhole) synced.add(id)
      // The size of the file is the offset: most appends change nothing in the record.
      const changes = size !== undefined || record.verified !== undefined || record.complete !== this.#upload.complete
      const isDurable = durability === 'every-append' || (complete === true && durability !== 'none')
      if (changes) await records.set(id, record, isDurable)
      if (isWhole) cache.forget(id)
      else cache.remember(id, record, position, this.#sync.synced)
    })
    return position
  }

  async rollback (): Promise<number> {
    const { offset } = this.#upload
    this.#cursor.position = offset
    await this.#end(() => this.#file.truncate(offset))
    return offset
  }

  /** The file is unchanged: the written bytes are valid, and count unless the record says otherwise. */
  async abandon (): Promise<void> {
    await this.#sync.settled().catch(() => {})
    await this.#close(false)
  }

  /** Truncates the file to where the append starts. If that fails, the append has ended. */
  async truncate (): Promise<void> {
    try {
      await this.#file.truncate(this.#upload.offset)
    } catch (error) {
      await this.#close(false)
      throw error
    }
  }

  async * readBack (): AsyncGenerator<Buffer> {
    const buffer = Buffer.allocUnsafe(READ_BACK_BYTES)
    for (let position = this.#upload.offset; position < this.#cursor.position;) {
      const bytesRead = await this.#file.read(buffer, position)
      yield buffer.subarray(0, bytesRead)
      position += bytesRead
    }
  }

  /** Whether the record holds the offset. Otherwise the size of the file is the offset. */
  get #isRecorded (): boolean {
    return this.#isUnverified || this.#upload.verified !== undefined
  }

  /** The record after the append, if it ends here. */
  #recordAt (position: number, size = this.#upload.size, complete = this.#upload.complete): StoredUpload {
    const verified = this.#isRecorded ? position : undefined
    return new StoredUpload({ ...this.#upload, offset: position, size, complete, verified })
  }

  async #end (work: () => Promise<void>): Promise<void> {
    let isSound = false
    try {
      await this.#sync.settled()
      await work()
      isSound = true
    } finally {
      if (this.#sync.hasFailed) await this.#truncateToSynced()
      await this.#close(isSound)
    }
  }

  async #truncateToSynced (): Promise<void> {
    const { offset } = this.#upload
    const synced = Math.min(this.#sync.synced, this.#cursor.position)
    await this.#state.failedSyncs.truncateToSynced(this.#recordAt(offset, this.#upload.size), this.#file, synced)
  }

  async #close (isSound: boolean): Promise<void> {
    const { appending, cache } = this.#state
    const { id } = this.#upload
    appending.delete(id)
    if (!isSound) cache.forget(id)
    await cache.keepFile(id, this.#file)
  }
}
