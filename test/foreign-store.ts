import type { Readable } from 'node:stream'
import type { DataStore, Upload } from '../plugin/index.ts'

type Method = 'create' | 'write' | 'getUpload' | 'remove' | 'declareUploadLength'

/** The minimum that `@tus/server` requires of a store: no reading, no list, and nothing beyond its contract. */
export class ForeignStore implements DataStore {
  extensions: string[]
  readonly uploads = new Map<string, { upload: Upload, bytes: Buffer[] }>()
  /** Called before each method runs, and before `write` stores each part of the body. */
  before: (method: Method, id: string) => void = () => {}

  constructor (extensions = ['creation', 'creation-with-upload', 'creation-defer-length', 'termination']) {
    this.extensions = extensions
  }

  async create (upload: Upload): Promise<Upload> {
    this.before('create', upload.id)
    this.uploads.set(upload.id, { upload: { ...upload }, bytes: [] })
    return upload
  }

  async write (stream: Readable, id: string, offset: number): Promise<number> {
    this.before('write', id)
    const { upload, bytes } = this.#find(id)
    upload.offset = offset
    for await (const chunk of stream) {
      this.before('write', id)
      bytes.push(chunk as Buffer)
      upload.offset += (chunk as Buffer).length
    }
    return upload.offset
  }

  async getUpload (id: string): Promise<Upload> {
    this.before('getUpload', id)
    return { ...this.#find(id).upload }
  }

  async remove (id: string): Promise<void> {
    this.before('remove', id)
    this.#find(id)
    this.uploads.delete(id)
  }

  async declareUploadLength (id: string, length: number): Promise<void> {
    this.before('declareUploadLength', id)
    this.#find(id).upload.size = length
  }

  async deleteExpired (): Promise<number> {
    return 0
  }

  getExpiration (): number {
    return 0
  }

  bytesOf (id: string): Buffer {
    return Buffer.concat(this.#find(id).bytes)
  }

  #find (id: string): { upload: Upload, bytes: Buffer[] } {
    const found = this.uploads.get(id)
    // As thrown by the stores of @tus/server.
    if (found === undefined) throw Object.assign(new Error('not found'), { status_code: 404, body: 'not found\n' })
    return found
  }
}
