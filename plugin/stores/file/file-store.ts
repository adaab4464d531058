import type { Stats } from 'node:fs'
import path from 'node:path'
import type { Readable } from 'node:stream'
import { errors } from '../../errors.ts'
import { isDefaultId, isUploadId } from '../../ids.ts'
import type { Durability } from '../../options.ts'
import type { AppendOptions, Capability, DataStore, Locker, Upload, UploadChanges } from '../../types.ts'
import { isComplete, StoredUpload } from '../stored-upload.ts'
import { concatenateFiles } from './concatenate-files.ts'
import { deleteExpired } from './tus-server-expiry.ts'
import { FailedSyncs } from './failed-sync.ts'
import { FileAppend } from './file-append.ts'
import { CACHE_LIMITS, FileCache, NO_CACHE } from './file-cache.ts'
import {
  isDamaged, isMissing, rethrowDamaged, rethrowExisting, rethrowMissing, unless
} from './file-system/file-errors.ts'
import { FileReader, LargePieces } from './file-reader.ts'
import { type FileSystem, fileSystem } from './file-system/file-system.ts'
import { removeOrphans } from './orphans.ts'
import { FileRecords } from './records.ts'
import { retryOnEmfile } from './file-system/retry-on-emfile.ts'
import type { StoreState } from './store-state.ts'
import { TusFileStore } from './tus-file-store.ts'

export interface FileStoreOptions {
  /** The directory of the uploads; created if missing. */
  directory: string
  /** When bytes are synced to disk. Default `'finished'`. */
  durability?: Durability | undefined
  /**
   * How long an unfinished upload lives, in ms, unless the plugin has an `expiration` of its own. Default 0: forever.
   */
  expirationPeriodInMilliseconds?: number | undefined
  /**
   * Whether this store is the only one that writes to the directory: it then caches records and open files between
   * appends. Default `false`.
   */
  exclusive?: boolean | undefined
  /**
   * The locker of the registration. If it has `tenure`, the store caches what no other process can have changed; if it
   * is not shared, the store is exclusive.
   */
  locker?: Pick<Locker, 'shared' | 'tenure'> | undefined
  /** The file system, for tests of its failures. */
  fs?: FileSystem | undefined
}

/**
 * Uploads as files: the bytes in `<id>`, the record in `<id>.json`, in the layout of `@tus/file-store`: each can serve
 * a directory that the other one filled. The size of the file is the offset.
 *
 * The record is created before the file and deleted after it, so that all files left by a crash are found by their
 * record.
 */
export class FileStore extends TusFileStore implements DataStore {
  readonly capabilities: ReadonlySet<Capability> = new Set<Capability>([
    'creation', 'creation-with-upload', 'read', 'read-unfinished', 'ranges', 'termination', 'deferred-length',
    'checksum', 'concatenation', 'updates', 'expiration'
  ])

  readonly retainsBuffers = false
  readonly durability: Durability
  readonly #fs: FileSystem
  readonly #state: StoreState
  readonly #largePieces = new LargePieces()

  /** @throws FST_TUS_DIRECTORY if the directory cannot be created or is not writable */
  constructor (options: FileStoreOptions) {
    const { durability = 'finished', expirationPeriodInMilliseconds = 0 } = options
    const root = path.resolve(options.directory)
    const cache = cacheFor(options)
    const fs = retryOnEmfile(options.fs ?? fileSystem, cache)
    prepareDirectory(root, fs)
    const records = new FileRecords(root, fs)
    super({ directory: root, configstore: records, expirationPeriodInMilliseconds })
    this.durability = durability
    this.#fs = fs
    const failedSyncs = new FailedSyncs(fs, records)
    this.#state = { durability, records, cache, failedSyncs, appending: new Set(), synced: new Set() }
  }

  /** @throws FST_TUS_EXISTS if the id is taken: an existing file is never overwritten */
  async create (upload: Upload): Promise<StoredUpload> {
    const { records, cache } = this.#state
    const file = this.#path(upload.id)
    const created = new StoredUpload({ ...upload, storage: { type: 'file', path: file }, finished: false })
    const sync = this.durability === 'every-append'
    await records.add(created.id, created, sync).catch(rethrowExisting)
    try {
      const opened = await this.#fs.open(file, 'wx+').catch(rethrowExisting)
      if (created.size !== 0) cache.remember(created.id, created, 0, 0)
      await cache.keepFile(created.id, opened)
      if (sync) await records.syncDirectory()
    } catch (error) {
      cache.forget(created.id)
      // A file that existed before does not belong to this upload.
      if (!(error instanceof errors.Exists)) await this.#fs.unlink(file).catch(unless(isMissing, undefined))
      await records.delete(created.id)
      throw error
    }
    return created
  }

  /**
   * @throws FST_TUS_NOT_FOUND
   * @throws FST_TUS_GONE if the file does not match its record (missing, longer than declared, shorter than finished)
   *   or may not be on disk
   */
  async getUpload (id: string): Promise<StoredUpload> {
    const { records, cache, failedSyncs } = this.#state
    const file = this.#path(id)
    if (failedSyncs.isLost(id)) throw new errors.Gone()
    if (cache.has(id)) {
      const stats = await this.#fs.stat(file).catch(unless(isMissing, undefined))
      const cached = cache.recordOf(id, stats?.size)
      if (stats !== undefined && cached !== undefined) return asStored(cached, file, stats)
      cache.forget(id)
    }
    return await cache.readThrough(id, async () => {
      // The record comes first: bytes that are written between the two calls only make the file longer.
      const record = await records.get(id).catch(rethrowDamaged)
      if (record === undefined) throw new errors.NotFound()
      const stats = await this.#fs.stat(file).catch(rethrowMissing)
      // A player requests a finished upload many times.
      return { record: asStored(record, file, stats), bytes: stats.size, isCacheable: record.finished === true }
    })
  }

  /**
   * Appends at the offset of the upload. After a crash, written bytes count, because the size of the file is the
   * offset. For an unverified append, the record holds the offset that counts, from before the first byte.
   */
  async openAppend (upload: Upload, options: AppendOptions = {}): Promise<FileAppend> {
    const { cache, appending } = this.#state
    const { id, offset, verified } = upload
    if (offset > 0) await this.sync(upload)
    const synced = this.durability === 'every-append' ? offset : cache.syncedOf(id)
    if (options.unverified === true && verified === undefined) {
      await this.#setRecord(id, new StoredUpload({ ...upload, verified: offset }), this.durability !== 'none')
    }
    appending.add(id)
    const file = cache.takeFile(id) ?? await this.#fs.open(this.#path(id), 'r+').catch((error: unknown) => {
      appending.delete(id)
      return rethrowMissing(error)
    })
    const append = new FileAppend(this.#state, file, upload, options, synced)
    // Bytes beyond the verified offset never counted. They must not be in the complete file.
    if (verified !== undefined) await append.truncate()
    return append
  }

  /** For `@tus/server`. Bytes that arrived before the stream failed are kept. */
  async write (stream: Readable, id: string, offset: number): Promise<number> {
    // The stream may fail before it is read; the loop reports that.
    stream.on('error', () => {})
    const append = await this.openAppend({ ...await this.getUpload(id), offset })
    try {
      for await (const chunk of stream) await append.write([chunk], chunk.length)
    } finally {
      offset = await append.commit()
      // `@tus/server` records no finish.
      this.#state.synced.delete(id)
    }
    return offset
  }

  /** For `@tus/server`. */
  async declareUploadLength (id: string, length: number): Promise<void> {
    const upload = await this.getUpload(id)
    upload.size = length
    await this.#setRecord(id, upload, this.durability === 'every-append')
  }

  /** The final upload has none of its bytes, or all of them. */
  async concatenate (upload: Upload, parts: Upload[], signal?: AbortSignal): Promise<StoredUpload> {
    const { records, synced } = this.#state
    const sync = this.durability !== 'none'
    const files = parts.map(({ id, offset }) => ({ file: this.#path(id), bytes: offset }))
    await concatenateFiles(this.#fs, files, this.#path(upload.id), { sync, signal })
    // The directory entry of the file must be on disk before the record that describes the file.
    if (sync) await records.syncDirectory()
    synced.add(upload.id)
    const offset = parts.reduce((sum, part) => sum + part.offset, 0)
    const complete = new StoredUpload({ ...upload, offset, complete: true, verified: undefined })
    await this.#setRecord(upload.id, complete, sync)
    return complete
  }

  /** Syncs what this process has not synced: a complete upload, and with `'every-append'` any upload. */
  async sync (upload: Upload): Promise<void> {
    const { cache, failedSyncs, synced } = this.#state
    const { id, offset, finished } = upload
    const isWhole = isComplete(upload)
    const isDue = this.durability === 'every-append' || (this.durability === 'finished' && isWhole)
    if (!isDue || finished === true || synced.has(id) || cache.syncedOf(id) === offset) return
    cache.forget(id)
    await failedSyncs.sync(upload, this.#path(id))
    if (isWhole) synced.add(id)
  }

  async update (upload: Upload, changes: UploadChanges): Promise<void> {
    // The finish hook may have removed it.
    if (!await this.#state.records.has(upload.id)) return
    const changed = new StoredUpload({ ...upload, ...changes })
    // Nothing is left to verify.
    if (changes.finished === true) changed.verified = undefined
    await this.#setRecord(upload.id, changed, this.durability !== 'none')
    if (changed.finished === true) this.#state.synced.delete(upload.id)
  }

  read (id: string, range?: { start: number, end: number }): Readable {
    const file = this.#path(id)
    return new FileReader(() => this.#fs.open(file, 'r'), this.#largePieces, range)
  }

  /** Deletes all files of an upload, even if only some of them are left. */
  async remove (id: string): Promise<void> {
    const { records, cache, failedSyncs, synced } = this.#state
    const file = this.#path(id)
    cache.forget(id)
    const isRecorded = await records.get(id).then((record) => record !== undefined, unless(isDamaged, false))
    // A file without a valid record is deleted only under a generated id: other files may belong to the user.
    if (!isRecorded && !isDefaultId(id)) throw new errors.NotFound()
    synced.delete(id)
    failedSyncs.forget(id)
    const hadFile = await this.#fs.unlink(file).then(() => true, unless(isMissing, false))
    const hadRecord = await records.delete(id)
    if (!hadRecord && !hadFile) throw new errors.NotFound()
  }

  list (): AsyncIterable<string> {
    return this.#state.records.ids()
  }

  /** For `@tus/server`. Deletes unfinished uploads that have expired and are not being written in this process. */
  async deleteExpired (): Promise<number> {
    return await deleteExpired(this, (id) => this.#state.appending.has(id))
  }

  async removeOrphans (): Promise<number> {
    return await removeOrphans(this.#state.records, this.#fs)
  }

  /** Closes cached files. The next append opens them again. */
  async close (): Promise<void> {
    await this.#state.cache.close()
  }

  async #setRecord (id: string, record: StoredUpload, sync: boolean): Promise<void> {
    try {
      await this.#state.records.set(id, record, sync)
    } finally {
      this.#state.cache.forget(id)
    }
  }

  #path (id: string): string {
    if (!isUploadId(id)) throw new errors.NotFound()
    return `${this.directory}${path.sep}${id}`
  }
}

function cacheFor ({ exclusive = false, locker }: FileStoreOptions): FileCache {
  if (exclusive || locker?.shared === false) return new FileCache(CACHE_LIMITS)
  if (locker?.tenure === undefined) return new FileCache(NO_CACHE)
  return new FileCache(CACHE_LIMITS, (id) => locker.tenure?.(id))
}

/** @throws FST_TUS_DIRECTORY if the directory cannot be created or is not writable */
function prepareDirectory (directory: string, fs: FileSystem): void {
  try {
    fs.prepareDirectory(directory)
  } catch (error) {
    throw new errors.Directory((error as Error).message)
  }
}

/**
 * The upload of a record and its file.
 * @throws FST_TUS_GONE if the two do not match
 */
function asStored (record: Upload, file: string, { size: bytes, mtimeMs }: Stats): StoredUpload {
  const { size, complete, finished, verified } = record
  const offset = verified ?? bytes
  const end = size ?? offset
  const isCut = bytes < offset || ((finished === true || complete === true) && offset < end)
  if (isCut || offset > end) throw new errors.Gone()
  return new StoredUpload({ ...record, offset, modified: mtimeMs, storage: { type: 'file', path: file } })
}
