import { randomBytes } from 'node:crypto'
import { errors } from '../plugin/index.ts'
import type { Upload } from '../plugin/index.ts'
import type { S3Store } from '../plugin/stores/s3/index.ts'
import { describe, isHidden } from './listed.ts'
import type { Page } from './listed.ts'
import type { Uploads } from './engines.ts'

/** A time after all others, in ms since the epoch: 12 hexadecimal digits. */
const END_OF_TIME = 2 ** 48 - 1

/**
 * The uploads of a bucket, newest first. A bucket lists names in their order, so that the ids of new uploads begin with
 * the time that is left: a page reads only its own uploads, however many there are.
 */
export class BucketList implements Uploads {
  readonly #store: Pick<S3Store, 'list' | 'getUpload'>

  constructor (store: Pick<S3Store, 'list' | 'getUpload'>) {
    this.#store = store
  }

  /** An id that cannot be guessed and sorts before all earlier ones. */
  newId (now = Date.now()): string {
    return `${(END_OF_TIME - now).toString(16).padStart(12, '0')}-${randomBytes(16).toString('hex')}`
  }

  async page (limit: number, before?: string): Promise<Page> {
    const after = before?.slice(before.indexOf('-') + 1)
    const uploads: Upload[] = []
    let ids: string[] = []
    for await (const id of this.#store.list(after)) {
      ids.push(id)
      if (ids.length < limit - uploads.length) continue
      uploads.push(...await this.#read(ids))
      ids = []
      if (uploads.length === limit) break
    }
    uploads.push(...await this.#read(ids))
    const last = uploads.at(-1)
    const isLast = last === undefined || uploads.length < limit
    return {
      uploads: uploads.map(describe),
      next: isLast ? null : `${Date.parse(String(last.creation_date))}-${last.id}`
    }
  }

  /** The uploads that exist and are listed. */
  async #read (ids: string[]): Promise<Upload[]> {
    const uploads = await Promise.all(ids.map((id) => this.#store.getUpload(id).catch((error: unknown) => {
      if (!(error instanceof errors.NotFound)) throw error
    })))
    return uploads.filter((upload) => upload !== undefined && !isHidden(upload)) as Upload[]
  }
}
