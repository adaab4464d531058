import type { FileStore, Upload } from '../plugin/index.ts'
import type { ListedUpload, Page } from './listed.ts'

/** How many records are read at a time. */
const AT_ONCE = 32

/** The uploads of a store, newest first. When each was made is remembered: a page reads only the records on it. */
export class UploadList {
  readonly #store: FileStore
  /** When each was made, in ms since the epoch; `NaN` for what is not to be listed. */
  #made = new Map<string, number>()
  #refreshing: Promise<void> | undefined

  constructor (store: FileStore) {
    this.#store = store
  }

  /** @param before - the `next` of the page before */
  async page (limit: number, before?: string): Promise<Page> {
    // Requests at the same time share one look at the directory.
    this.#refreshing ??= this.#refresh().finally(() => { this.#refreshing = undefined })
    await this.#refreshing
    const end = before === undefined ? undefined : parseCursor(before)
    const newestFirst = [...this.#made]
      .filter(([id, made]) => !Number.isNaN(made) && (end === undefined || compare([id, made], end) > 0))
      .sort(compare)
    const listed = newestFirst.slice(0, limit)
    const uploads = await this.#read(listed.map(([id]) => id))
    const last = listed.at(-1)
    const isLast = last === undefined || newestFirst.length === listed.length
    // One may have been refused since it was first seen.
    return { uploads: uploads.filter((upload) => !isHidden(upload)).map(describe), next: isLast ? null : `${last[1]}-${last[0]}` }
  }

  async #refresh (): Promise<void> {
    const made = new Map<string, number>()
    const unknown: string[] = []
    for await (const id of this.#store.list()) {
      const known = this.#made.get(id)
      if (known === undefined) unknown.push(id)
      else made.set(id, known)
    }
    for (let i = 0; i < unknown.length; i += AT_ONCE) {
      for (const upload of await this.#read(unknown.slice(i, i + AT_ONCE))) {
        made.set(upload.id, isHidden(upload) ? NaN : Date.parse(String(upload.creation_date)))
      }
    }
    this.#made = made
  }

  /** Those that are still there. */
  async #read (ids: string[]): Promise<Upload[]> {
    const uploads = await Promise.all(ids.map((id) => this.#store.getUpload(id).catch(() => undefined)))
    return uploads.filter((upload) => upload !== undefined)
  }
}

/** Parts are listed as what they become; what was refused is not there for anybody. */
function isHidden ({ concatenation, refused }: Upload): boolean {
  return refused === true || (concatenation !== undefined && concatenation.parts === undefined)
}

type Entry = [id: string, made: number]

function compare (a: Entry, b: Entry): number {
  return b[1] - a[1] || b[0].localeCompare(a[0])
}

function parseCursor (cursor: string): Entry {
  const dash = cursor.indexOf('-')
  return [cursor.slice(dash + 1), Number(cursor.slice(0, dash))]
}

function describe (upload: Upload): ListedUpload {
  const { id, offset, size = null, metadata = {}, finished } = upload
  return {
    id,
    name: metadata['filename'] ?? metadata['name'] ?? null,
    type: metadata['filetype'] ?? metadata['type'] ?? null,
    length: size,
    offset,
    state: finished === true ? 'finished' : 'uploading',
    createdAt: String(upload.creation_date)
  }
}
