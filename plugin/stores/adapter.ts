import type { Readable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { errors, isTusError } from '../errors.ts'
import type {
  Append, AppendOptions, Capability, CommitOptions, DataStore, Upload, UploadChanges
} from '../types.ts'
import { StoredUpload } from './stored-upload.ts'
import { isBytes, StreamAppend } from './stream-append.ts'

/**
 * One interface for every store. Only the adapter knows which capabilities a store lacks, and works around them. Every
 * error of a store leaves the adapter as an error of the plugin.
 */
export class StoreAdapter {
  readonly capabilities: ReadonlySet<Capability>
  /** How long an unfinished upload lives according to the store, in ms; 0: forever. */
  readonly expirationPeriod: number
  /** Whether an append still uses the buffers of a batch after it has written them. */
  readonly retainsBuffers: boolean
  readonly #store: DataStore
  /** Whether the store is known not to record creation dates. */
  #takesFreshDates = false

  constructor (store: DataStore) {
    this.#store = store
    this.capabilities = store.capabilities ?? derivedCapabilities(store)
    this.expirationPeriod = store.getExpiration?.() ?? 0
    this.retainsBuffers = store.retainsBuffers ?? true
  }

  async prepare (): Promise<void> {
    await mapErrors(async () => { await this.#store.prepare?.() })
  }

  create (upload: Upload): Promise<Upload> {
    return mapErrors(async () => this.#checked(await this.#store.create(new StoredUpload(upload))))
  }

  /** @param offset - the offset that the caller expects */
  getUpload (id: string, offset?: number): Promise<Upload> {
    return mapErrors(async () => {
      const start = Date.now()
      const upload = this.#checked(await this.#store.getUpload(id, { offset }))
      return this.#store.capabilities === undefined ? await this.#withoutFreshDate(upload, start) : upload
    })
  }

  openAppend (upload: Upload, options: AppendOptions): Promise<AdaptedAppend> {
    return mapErrors(async () => {
      const append = await this.#store.openAppend?.(upload, options) ?? await this.#streamAppend(upload, options)
      return new AdaptedAppend(append, upload.offset, options.unverified === true)
    })
  }

  async concatenate (upload: Upload, parts: Upload[], signal: AbortSignal): Promise<Upload> {
    return await mapErrors(async () => this.#checked(await this.#method('concatenate')(upload, parts, signal)))
  }

  async sync (upload: Upload): Promise<void> {
    await mapErrors(async () => { await this.#store.sync?.(upload) })
  }

  async update (upload: Upload, changes: UploadChanges): Promise<void> {
    await mapErrors(async () => { await this.#store.update?.(upload, changes) })
  }

  remove (id: string): Promise<void> {
    return mapErrors(async () => { await this.#store.remove(id) })
  }

  /** Resolves once the first bytes are read, so that an unreadable file is an error, not a broken response. */
  read (id: string, range?: { start: number, end: number }): Promise<Readable> {
    return mapErrors(async () => {
      const bytes = await this.#method('read')(id, range)
      await new Promise<void>((resolve, reject) => {
        bytes.once('readable', resolve).once('end', resolve).once('error', reject)
      })
      return bytes
    })
  }

  /** The bytes of a range in one buffer. Rejects if there are fewer. */
  async readBytes (id: string, range: { start: number, end: number }): Promise<Buffer> {
    const wanted = range.end - range.start + 1
    const stream = await this.read(id, range)
    return await mapErrors(async () => {
      // Usually everything is buffered by now, and a loop would double the work.
      const first = stream.read() as Buffer | null
      const buffers = first === null ? [] : [first]
      let bytes = first?.length ?? 0
      if (bytes < wanted) {
        for await (const buffer of stream) {
          buffers.push(buffer as Buffer)
          bytes += (buffer as Buffer).length
        }
      }
      stream.destroy()
      if (bytes !== wanted) throw new Error('The store has fewer bytes than it reported')
      return first?.length === wanted ? first : Buffer.concat(buffers)
    })
  }

  /** The ids of the uploads that a sweep must check. */
  due (now: number): AsyncIterable<string> {
    return this.#store.due?.(now) ?? this.#method('list')()
  }

  async removeOrphans (): Promise<number> {
    return await mapErrors(async () => await this.#store.removeOrphans?.() ?? 0)
  }

  async close (): Promise<void> {
    await mapErrors(async () => { await this.#store.close?.() })
  }

  /** Such a store completes an upload in `write`, so it must know the length before that. */
  async #streamAppend (upload: Upload, { size }: AppendOptions): Promise<Append> {
    const write = this.#method('write')
    const declareLength = this.#method('declareUploadLength')
    if (size !== undefined) await declareLength(upload.id, size)
    return new StreamAppend({ write, declareLength }, { ...upload, size: upload.size ?? size })
  }

  /** A method that the store has, according to its capabilities. */
  #method<Name extends 'read' | 'list' | 'concatenate' | 'write' | 'declareUploadLength'> (
    name: Name
  ): NonNullable<DataStore[Name]> {
    const method = this.#store[name]
    if (method === undefined) throw new Error(`The store has no method ${name}`)
    return method.bind(this.#store) as NonNullable<DataStore[Name]>
  }

  /**
   * The class `Upload` of `@tus/utils` uses the current time if the store has not recorded the creation date. Such a
   * date does not identify an upload.
   * @param start - when the upload was requested, in ms since the epoch
   */
  async #withoutFreshDate (upload: Upload, start: number): Promise<Upload> {
    const { id, creation_date: date } = upload
    if (date === undefined || Date.parse(date) < start) return upload
    if (!this.#takesFreshDates) {
      // The upload may have been created just now, or by a process whose clock is ahead: the date is then kept.
      await wait(2)
      const again = await this.#store.getUpload(id)
      this.#takesFreshDates = again.creation_date !== date
    }
    return this.#takesFreshDates ? new StoredUpload({ ...upload, creation_date: undefined }) : upload
  }

  /** @throws TypeError if a store resolves with something that is not an upload */
  #checked (upload: Upload): Upload {
    const { id, offset, size, finished } = Object(upload) as Partial<Upload>
    const isUpload = typeof id === 'string' && isBytes(offset) && (size === undefined || isBytes(size))
    if (!isUpload) throw new TypeError('The store returned something that is not an upload')
    // A wrapper may pass on `finished: false` without being able to record that the hook has run.
    const isForgetful = finished === false && !this.capabilities.has('updates')
    return isForgetful ? new StoredUpload({ ...upload, finished: undefined }) : upload
  }
}

function derivedCapabilities (store: DataStore): Set<Capability> {
  const extensions = new Set(store.extensions)
  const has: Partial<Record<Capability, boolean>> = {
    creation: extensions.has('creation'),
    'creation-with-upload': extensions.has('creation-with-upload'),
    read: store.read !== undefined,
    termination: extensions.has('termination'),
    'deferred-length': extensions.has('creation-defer-length'),
    updates: store.update !== undefined,
    expiration: store.list !== undefined || store.due !== undefined
  }
  return new Set((Object.keys(has) as Capability[]).filter((name) => has[name]))
}

/** An append that throws errors of the plugin, and always reports the stored offset. */
export class AdaptedAppend {
  readonly #append: Append
  readonly #isUnverified: boolean
  #written: number

  constructor (append: Append, offset: number, isUnverified: boolean) {
    this.#append = append
    this.#isUnverified = isUnverified
    this.#written = offset
  }

  get stored (): number {
    return this.#append.stored ?? this.#written
  }

  async write (buffers: Buffer[], bytes: number): Promise<void> {
    try {
      await this.#append.write(buffers, bytes)
    } catch (error) {
      throw storeError(error)
    }
    if (!this.#isUnverified) this.#written += bytes
  }

  commit (options: CommitOptions): Promise<number> {
    return mapErrors(() => this.#append.commit(options))
  }

  rollback (): Promise<number | undefined> {
    return mapErrors(() => this.#append.rollback())
  }

  async abandon (): Promise<void> {
    await mapErrors<unknown>(() => this.#append.abandon?.() ?? this.#append.rollback())
  }

  readBack (): AsyncIterable<Buffer> {
    return this.#append.readBack?.() as AsyncIterable<Buffer>
  }
}

async function mapErrors<T> (call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw storeError(error)
  }
}

const noRoom = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])
const unavailable = new Set(['EMFILE', 'ENFILE', 'EAGAIN', 'EBUSY', 'EIO', 'EROFS', 'EACCES', 'EPERM'])

/**
 * The error that clients may see for an error of a store: errors of the plugin are unchanged, any other is the `cause`.
 */
function storeError (error: unknown): Error {
  if (isTusError(error)) return error
  const { code, status_code: status } = Object(error) as { code?: unknown, status_code?: number }
  const options = { cause: error }
  if (status === 404) return new errors.NotFound(options)
  if (status === 410) return new errors.Gone(options)
  if (noRoom.has(String(code))) return new errors.InsufficientStorage(options)
  if (unavailable.has(String(code))) return new errors.StoreUnavailable(options)
  return new errors.StoreFailed(options)
}
