import { Readable } from 'node:stream'
import { errors } from '../errors.ts'
import type {
  Append, AppendOptions, Capability, CommitOptions, DataStore, Upload, UploadChanges
} from '../types.ts'

interface Entry {
  upload: Upload
  bytes: Buffer[]
}

/** Uploads in the memory of this process, for tests and demonstrations: they are gone when the process ends. */
export class MemoryStore implements DataStore {
  readonly capabilities: ReadonlySet<Capability> = new Set<Capability>([
    'creation', 'creation-with-upload', 'read', 'read-unfinished', 'ranges', 'termination', 'deferred-length',
    'checksum', 'concatenation', 'updates', 'expiration'
  ])

  readonly #entries = new Map<string, Entry>()

  /** @throws FST_TUS_EXISTS */
  async create (upload: Upload): Promise<Upload> {
    if (this.#entries.has(upload.id)) throw new errors.Exists()
    this.#entries.set(upload.id, { upload: { ...upload, modified: Date.now(), finished: false }, bytes: [] })
    return await this.getUpload(upload.id)
  }

  /** @throws FST_TUS_NOT_FOUND */
  async getUpload (id: string): Promise<Upload> {
    return { ...this.#find(id).upload }
  }

  async openAppend ({ id }: Upload, options: AppendOptions = {}): Promise<Append> {
    return new MemoryAppend(this.#find(id), options)
  }

  async concatenate ({ id }: Upload, parts: Upload[]): Promise<Upload> {
    const entry = this.#find(id)
    entry.bytes = parts.flatMap((part) => this.#find(part.id).bytes)
    const offset = parts.reduce((sum, part) => sum + part.offset, 0)
    entry.upload = { ...entry.upload, offset, complete: true, modified: Date.now() }
    return { ...entry.upload }
  }

  async update ({ id }: Upload, changes: UploadChanges): Promise<void> {
    const entry = this.#entries.get(id)
    if (entry !== undefined) entry.upload = { ...entry.upload, ...changes }
  }

  async read (id: string, range?: { start: number, end: number }): Promise<Readable> {
    const bytes = Buffer.concat(this.#find(id).bytes)
    const wanted = range === undefined ? bytes : bytes.subarray(range.start, range.end + 1)
    return Readable.from([wanted], { objectMode: false })
  }

  /** @throws FST_TUS_NOT_FOUND */
  async remove (id: string): Promise<void> {
    if (!this.#entries.delete(id)) throw new errors.NotFound()
  }

  async * list (): AsyncGenerator<string> {
    yield * [...this.#entries.keys()]
  }

  #find (id: string): Entry {
    const entry = this.#entries.get(id)
    if (entry === undefined) throw new errors.NotFound()
    return entry
  }
}

class MemoryAppend implements Append {
  readonly #entry: Entry
  readonly #options: AppendOptions
  /** Buffers before this append. */
  readonly #start: number
  readonly #offset: number
  readonly #buffers: Buffer[] = []

  constructor (entry: Entry, options: AppendOptions) {
    this.#entry = entry
    this.#options = options
    this.#start = entry.bytes.length
    this.#offset = entry.upload.offset
  }

  async write (buffers: Buffer[]): Promise<void> {
    this.#buffers.push(...buffers)
    if (this.#options.unverified !== true) this.#store()
  }

  async commit ({ size = this.#options.size, complete }: CommitOptions = {}): Promise<number> {
    this.#store()
    const { upload } = this.#entry
    this.#entry.upload = { ...upload, size: size ?? upload.size, complete: complete ?? upload.complete }
    return upload.offset
  }

  async rollback (): Promise<number> {
    this.#entry.bytes.length = this.#start
    this.#entry.upload = { ...this.#entry.upload, offset: this.#offset }
    return this.#offset
  }

  async abandon (): Promise<void> {}

  async * readBack (): AsyncGenerator<Buffer> {
    yield * this.#buffers
  }

  #store (): void {
    const { bytes, upload } = this.#entry
    const missing = this.#buffers.slice(bytes.length - this.#start)
    bytes.push(...missing)
    const offset = missing.reduce((sum, { length }) => sum + length, upload.offset)
    this.#entry.upload = { ...upload, offset, modified: Date.now() }
  }
}
