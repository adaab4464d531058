import path from 'node:path'
import type { Readable } from 'node:stream'
import { errors } from '../../errors.ts'
import { isDefaultId, isUploadId } from '../../ids.ts'
import type { Durability } from '../../options.ts'
import type { Append, AppendOptions, Concatenation, DataStore, Upload } from '../../types.ts'
import { AT_HAND, AtHand, NOTHING_AT_HAND } from './file-cache.ts'
import { deleteExpired } from './delete-expired.ts'
import { prepareDirectory } from './directory.ts'
import { Doubtful } from './failed-sync.ts'
import { FileAppend } from './file-append.ts'
import { isDamaged, isMissing, rethrowDamaged, rethrowExisting, rethrowMissing, unless } from './file-errors.ts'
import { type FileSystem, fileSystem } from './file-system.ts'
import { joinFiles } from './concatenate-files.ts'
import { removeLeftovers } from './orphans.ts'
import { makeRoom } from './retry-on-emfile.ts'
import { FileRecords } from './records.ts'
import { StoredUpload, storedInFile } from '../stored-upload.ts'
import { TusFileStore } from './tus-file-store.ts'

export interface FileStoreOptions {
  /** Where uploads are kept; made if missing. */
  directory: string
  /** Default `'finished'`. */
  durability?: Durability
  /** How long an unfinished upload lives, in ms, for `deleteExpired`. Default 0: for ever. */
  expirationPeriodInMilliseconds?: number
  /**
   * Whether no other process writes to the directory. Records and open files are then kept at hand between appends. The
   * plugin says so of the store that it makes where locks are in memory. Default `false`.
   */
  exclusive?: boolean
  /** The file system, for tests of its failures. */
  fs?: FileSystem
}

/**
 * Uploads as files: the bytes in `<id>`, the record in `<id>.json`, as `@tus/file-store` lays them out, so that a
 * directory filled by one is served by the other. How many bytes there are is told by the size of the file.
 *
 * The record is created before the file and deleted after it: what a crash leaves behind has a record to find it by.
 */
export class FileStore extends TusFileStore implements DataStore {
  readonly abilities = ['checksum', 'concatenation', 'ranges']
  readonly durability: Durability
  readonly #fs: FileSystem
  readonly #records: FileRecords
  readonly #atHand: AtHand
  readonly #appending = new Set<string>()
  /** Whole uploads that are not marked yet, and whose bytes were flushed. */
  readonly #flushed = new Set<string>()
  readonly #doubtful: Doubtful

  /** @throws FST_TUS_DIRECTORY where the directory cannot be made or written to */
  constructor (options: FileStoreOptions) {
    const { durability = 'finished', expirationPeriodInMilliseconds = 0, exclusive = false } = options
    const root = path.resolve(options.directory)
    const atHand = new AtHand(exclusive ? AT_HAND : NOTHING_AT_HAND)
    const fs = makeRoom(options.fs ?? fileSystem, atHand)
    prepareDirectory(root, fs)
    const records = new FileRecords(root, fs)
    super({ directory: root, configstore: records, expirationPeriodInMilliseconds })
    this.durability = durability
    this.#fs = fs
    this.#records = records
    this.#atHand = atHand
    this.#doubtful = new Doubtful(fs, records)
  }

  /** @throws FST_TUS_EXISTS where the id is taken: nothing that exists is ever overwritten */
  async create (upload: Upload): Promise<StoredUpload> {
    const file = this.#path(upload.id)
    const created = new StoredUpload({ ...upload, storage: { type: 'file', path: file }, finished: false })
    const flush = this.durability === 'every-append'
    await this.#records.add(created.id, created, flush).catch(rethrowExisting)
    try {
      const opened = await this.#fs.open(file, 'wx+').catch(rethrowExisting)
      if (created.size !== 0) this.#atHand.remember(created.id, created, 0, 0)
      await this.#atHand.keepFile(created.id, opened)
      if (flush) await this.#records.flushDirectory()
    } catch (error) {
      this.#atHand.forget(created.id)
      // One that was there before is somebody's.
      if (!(error instanceof errors.Exists)) await this.#fs.unlink(file).catch(unless(isMissing, undefined))
      await this.#records.delete(created.id)
      throw error
    }
    return created
  }

  /**
   * @throws FST_TUS_NOT_FOUND
   * @throws FST_TUS_GONE where the file does not fit its record: gone, longer than declared, or shorter than finished;
   *   or may not be on the disk
   */
  async getUpload (id: string): Promise<StoredUpload> {
    const file = this.#path(id)
    if (this.#doubtful.isLost(id)) throw new errors.Gone()
    if (this.#atHand.has(id)) {
      const stats = await this.#fs.stat(file).catch(unless(isMissing, undefined))
      const known = this.#atHand.recordOf(id, stats?.size)
      if (stats !== undefined && known !== undefined) return storedInFile(known, file, stats)
      this.#atHand.forget(id)
    }
    // The record comes first: what is written between the two calls makes the file only longer than it says.
    const record = await this.#records.get(id).catch(rethrowDamaged)
    if (record === undefined) throw new errors.NotFound()
    const stats = await this.#fs.stat(file).catch(rethrowMissing)
    const upload = storedInFile(record, file, stats)
    // What plays it asks again and again.
    if (record.finished === true) this.#atHand.remember(id, upload, stats.size)
    return upload
  }

  /**
   * Makes room for an append at the upload's offset. What a crash leaves of it counts, as the size of the file does.
   * For an unverified one the record notes the offset before its first byte, and says from then on what counts.
   */
  async openAppend (upload: Upload, { declaredSize, unverified = false }: AppendOptions = {}): Promise<Append> {
    const { id, offset, size = declaredSize } = upload
    const noted = upload.verified !== undefined
    const verifies = unverified || noted
    const before = new StoredUpload({ ...upload, verified: verifies ? offset : undefined })
    const everyAppend = this.durability === 'every-append'
    if (offset > 0) await this.flush(upload)
    const flushed = everyAppend ? offset : this.#atHand.flushedOf(id)
    if (unverified && !noted) await this.#setRecord(id, before, this.durability !== 'none')
    this.#appending.add(id)
    const file = this.#atHand.takeFile(id) ?? await this.#fs.open(this.#path(id), 'r+').catch((error: unknown) => {
      this.#appending.delete(id)
      return rethrowMissing(error)
    })
    const append = new FileAppend(file, {
      offset,
      flushed,
      flushes: this.durability !== 'none',
      onCommit: async (position, flushes) => {
        const isWhole = position === size
        if (everyAppend || (this.durability === 'finished' && isWhole)) await flushes.finish()
        if (isWhole) this.#flushed.add(id)
        const record = new StoredUpload({ ...upload, size, verified: verifies ? position : undefined })
        if (declaredSize !== undefined || verifies) await this.#records.set(id, record, everyAppend)
        if (isWhole) this.#atHand.forget(id)
        else this.#atHand.remember(id, record, position, flushes.flushed)
      },
      onDoubt: (file, flushed) => this.#doubtful.takeBack(before, file, flushed),
      onEnd: async (file, sound) => {
        this.#appending.delete(id)
        if (!sound) this.#atHand.forget(id)
        await this.#atHand.keepFile(id, file)
      }
    })
    // What a crash left behind the offset did not count, and must not be there when the file is whole.
    if (noted) await append.reset()
    return append
  }

  /** What arrived before the stream failed stays. */
  async write (stream: Readable, id: string, offset: number): Promise<number> {
    // It may fail before it is read; that comes out where it is read.
    stream.on('error', () => {})
    const append = await this.openAppend({ ...await this.getUpload(id), offset })
    try {
      for await (const chunk of stream) await append.write([chunk], chunk.length)
    } finally {
      offset = await append.commit()
      // Who writes in this way marks nothing.
      this.#flushed.delete(id)
    }
    return offset
  }

  async declareUploadLength (id: string, length: number): Promise<void> {
    const upload = await this.getUpload(id)
    upload.size = length
    await this.#setRecord(id, upload, this.durability === 'every-append')
  }

  /** The final upload has none of its bytes, and then all. */
  async concatenate (upload: Upload, parts: Upload[], signal?: AbortSignal): Promise<StoredUpload> {
    const flush = this.durability !== 'none'
    const files = parts.map(({ id, offset }) => ({ file: this.#path(id), bytes: offset }))
    await joinFiles(this.#fs, files, this.#path(upload.id), { flush, signal })
    // A record that outlives a crash of the machine must not tell of bytes that have not got their name.
    if (flush) await this.#records.flushDirectory()
    const concatenation = { ...upload.concatenation as Concatenation, joined: true }
    this.#flushed.add(upload.id)
    const offset = parts.reduce((sum, part) => sum + part.offset, 0)
    const joined = new StoredUpload({ ...upload, offset, concatenation, verified: undefined })
    await this.#setRecord(upload.id, joined, flush)
    return joined
  }

  /** Flushes what was not flushed by this process: of a whole upload, and with `'every-append'` of any. */
  async flush (upload: Upload): Promise<void> {
    const { id, offset, size, finished } = upload
    const isWhole = offset === size
    const isDue = this.durability === 'every-append' || (this.durability === 'finished' && isWhole)
    if (!isDue || finished === true || this.#flushed.has(id) || this.#atHand.flushedOf(id) === offset) return
    this.#atHand.forget(id)
    await this.#doubtful.flush(upload, this.#path(id))
    if (isWhole) this.#flushed.add(id)
  }

  /** Records that nothing is left to do for a whole upload, in a way that survives a crash of the machine. */
  async markFinished (upload: Upload): Promise<void> {
    // The finish hook may have removed it.
    if (!await this.#records.has(upload.id)) return
    const finished = new StoredUpload({ ...upload, verified: undefined, finished: true })
    await this.#setRecord(upload.id, finished, this.durability !== 'none')
    this.#flushed.delete(upload.id)
  }

  read (id: string, range?: { start: number, end: number }) {
    return this.#fs.createReadStream(this.#path(id), range)
  }

  /** Deletes what there is of an upload, also if only a part of it is left. */
  async remove (id: string): Promise<void> {
    const file = this.#path(id)
    this.#atHand.forget(id)
    const recorded = await this.#records.get(id).then((record) => record !== undefined, unless(isDamaged, false))
    // Files without a sound record may be anything that somebody put here; under an id that only we make they are ours.
    if (!recorded && !isDefaultId(id)) throw new errors.NotFound()
    this.#flushed.delete(id)
    this.#doubtful.forget(id)
    const stored = await this.#fs.unlink(file).then(() => true, unless(isMissing, false))
    const unrecorded = await this.#records.delete(id)
    if (!unrecorded && !stored) throw new errors.NotFound()
  }

  /** The ids of all uploads. */
  list (): AsyncIterable<string> {
    return this.#records.ids()
  }

  /** Deletes unfinished uploads that are older than the expiration period and not being written in this process. */
  async deleteExpired (): Promise<number> {
    return await deleteExpired(this, (id) => this.#appending.has(id))
  }

  /** Deletes what crashes left: records half-written or without their file. */
  async removeLeftovers (): Promise<number> {
    return await removeLeftovers(this.#records, this.#fs)
  }

  /** Closes the files that were kept open for a next append, which opens them again. */
  async close (): Promise<void> {
    await this.#atHand.close()
  }

  async #setRecord (id: string, record: StoredUpload, flush: boolean): Promise<void> {
    this.#atHand.forget(id)
    await this.#records.set(id, record, flush)
  }

  #path (id: string): string {
    if (!isUploadId(id)) throw new errors.NotFound()
    return `${this.directory}${path.sep}${id}`
  }
}
