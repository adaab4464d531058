import type { Readable } from 'node:stream'
import { errors } from '../errors.ts'
import type { Append, AppendOptions, DataStore, Upload } from '../types.ts'
import { StoredUpload } from './stored-upload.ts'
import { isBytes, StreamAppend } from './stream-append.ts'

/**
 * Any store, with every ability: what a store lacks is done another way or left out here, so that nobody above asks
 * what kind of store it is. Whatever a store throws comes out as one of our errors.
 */
export class AbleStore {
  readonly extensions: ReadonlySet<string>
  readonly canRead: boolean
  readonly canReadRanges: boolean
  readonly canList: boolean
  readonly #store: DataStore

  constructor (store: DataStore) {
    this.#store = store
    this.extensions = new Set([...store.extensions, ...store.abilities ?? []])
    this.canRead = store.read !== undefined
    this.canReadRanges = this.canRead && this.extensions.has('ranges')
    this.canList = store.list !== undefined
  }

  create (upload: Upload): Promise<Upload> {
    return guard(async () => this.#sound(await this.#store.create(new StoredUpload(upload))))
  }

  getUpload (id: string): Promise<Upload> {
    return guard(async () => this.#sound(await this.#store.getUpload(id)))
  }

  openAppend (upload: Upload, options: AppendOptions): Promise<Append> {
    return guard(async () => {
      if (this.#store.openAppend !== undefined) return await this.#store.openAppend(upload, options)
      // Such a store completes an upload in `write`, so it must know the length before.
      const { declaredSize } = options
      if (declaredSize !== undefined) await this.#store.declareUploadLength(upload.id, declaredSize)
      return new StreamAppend(this.#store, { ...upload, size: upload.size ?? declaredSize })
    })
  }

  concatenate (upload: Upload, parts: Upload[], signal: AbortSignal): Promise<Upload> {
    return guard(async () => await this.#store.concatenate?.(upload, parts, signal) as Upload)
  }

  async flush (upload: Upload): Promise<void> {
    await guard(async () => { await this.#store.flush?.(upload) })
  }

  async markFinished (upload: Upload): Promise<void> {
    await guard(async () => { await this.#store.markFinished?.(upload) })
  }

  remove (id: string): Promise<void> {
    return guard(async () => { await this.#store.remove(id) })
  }

  /** Resolves once the first bytes are there: a file that cannot be read is an error, and not a broken answer. */
  read (id: string, range?: { start: number, end: number }): Promise<Readable> {
    return guard(async () => {
      const bytes = await this.#store.read?.(id, range) as Readable
      await new Promise<void>((resolve, reject) => {
        bytes.once('readable', resolve).once('end', resolve).once('error', reject)
      })
      return bytes
    })
  }

  /** The bytes of a range at once. Rejects where there are fewer. */
  async readBytes (id: string, range: { start: number, end: number }): Promise<Buffer> {
    const wanted = range.end - range.start + 1
    const stream = await this.read(id, range)
    return await guard(async () => {
      // Most often it is all there by now, and a loop would be half of the work.
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
      if (bytes !== wanted) throw new Error('The store has fewer bytes than it said')
      return first?.length === wanted ? first : Buffer.concat(buffers)
    })
  }

  list (): AsyncIterable<string> {
    return this.#store.list?.() as AsyncIterable<string>
  }

  async removeLeftovers (): Promise<number> {
    return await guard(async () => await this.#store.removeLeftovers?.() ?? 0)
  }

  async close (): Promise<void> {
    await guard(async () => { await this.#store.close?.() })
  }

  /** @throws TypeError where a store resolves with something that is no upload */
  #sound (upload: Upload): Upload {
    const { id, offset, size, finished } = Object(upload) as Partial<Upload>
    const isSound = typeof id === 'string' && isBytes(offset) && (size === undefined || isBytes(size))
    if (!isSound) throw new TypeError('The store gave something that is no upload')
    // One that wraps another hands on what that says, and cannot take it back.
    const isForgetful = finished === false && this.#store.markFinished === undefined
    return isForgetful ? new StoredUpload({ ...upload, finished: undefined }) : upload
  }
}

async function guard<T> (call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw storeError(error)
  }
}

const noRoom = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])
const unavailable = new Set(['EMFILE', 'ENFILE', 'EAGAIN', 'EBUSY', 'EIO', 'EROFS', 'EACCES', 'EPERM'])

/** The error that clients may see for what a store threw: one of ours as it is, everything else as its cause. */
export function storeError (error: unknown): Error {
  const { code: any, status_code: status } = Object(error) as { code?: unknown, status_code?: number }
  const code = String(any)
  if (code.startsWith('FST_TUS_')) return error as Error
  const options = { cause: error }
  if (status === 404) return new errors.NotFound(options)
  if (status === 410) return new errors.Gone(options)
  if (noRoom.has(code)) return new errors.InsufficientStorage(options)
  if (unavailable.has(code)) return new errors.StoreUnavailable(options)
  return new errors.StoreFailed(options)
}
