import { stat } from 'node:fs/promises'
import { errors } from '../plugin/index.ts'
import type { FileStore, Upload } from '../plugin/index.ts'
import { describe, isHidden } from './listed.ts'
import type { Page } from './listed.ts'

/** How many records are read at a time. */
const AT_ONCE = 32

/** How old a change of the directory must be so that no later one has the same time, in ms. */
const SETTLED_MS = 100

/**
 * The sorted uploads of a store: a page reads only its own records. The store reports the uploads that it creates and
 * removes. The directory is read again if another process may have changed it; only new records are read then.
 */
export class UploadList {
  readonly #store: FileStore
  /** Oldest first, so that a new upload goes to the end. */
  readonly #entries: Entry[] = []
  readonly #made = new Map<string, number>()
  readonly #empty = new Set<string>()
  readonly #hidden = new Set<string>()
  #loading: Promise<void> | undefined
  /** When the directory had last changed as it was read, in ms since the epoch. */
  #changed: number | undefined

  constructor (store: FileStore) {
    this.#store = store
  }

  /** Reads the directory if it has changed. */
  async load (): Promise<void> {
    this.#loading ??= this.#load().finally(() => { this.#loading = undefined })
    await this.#loading
  }

  /** @param before - the `next` of the previous page */
  async page (limit: number, before?: string): Promise<Page> {
    await this.load()
    const end = before === undefined ? this.#entries.length : this.#indexOf(parseCursor(before))
    const start = Math.max(0, end - limit)
    const listed = this.#entries.slice(start, end).reverse()
    const uploads = await this.#read(listed.map(([id]) => id))
    const last = listed.at(-1)
    return {
      // One may have been refused since it was created.
      uploads: uploads.filter((upload) => !isHidden(upload)).map(describe),
      next: last === undefined || start === 0 ? null : `${last[1]}-${last[0]}`
    }
  }

  /** The finished uploads of 0 bytes that were created before a time, in ms since the epoch. */
  async emptyBefore (time: number): Promise<string[]> {
    await this.load()
    return [...this.#empty].filter((id) => this.#made.get(id) as number < time)
  }

  /** Adds or updates an upload that was created or has changed. */
  note (upload: Upload): void {
    const entry = this.#enter(upload)
    if (entry !== undefined) this.#entries.splice(this.#indexOf(entry), 0, entry)
  }

  remove (id: string): void {
    this.#hidden.delete(id)
    const made = this.#made.get(id)
    if (made === undefined) return
    this.#made.delete(id)
    this.#empty.delete(id)
    this.#entries.splice(this.#indexOf([id, made]), 1)
  }

  async #load (): Promise<void> {
    const { mtimeMs } = await stat(this.#store.directory)
    if (mtimeMs === this.#changed) return
    const isSettled = Date.now() - mtimeMs > SETTLED_MS
    const gone = new Set([...this.#made.keys(), ...this.#hidden])
    const found: Upload[] = []
    let ids: string[] = []
    for await (const id of this.#store.list()) {
      if (gone.delete(id) || ids.push(id) < AT_ONCE) continue
      found.push(...await this.#read(ids))
      ids = []
    }
    found.push(...await this.#read(ids))
    this.#entries.push(...found.map((upload) => this.#enter(upload)).filter((entry) => entry !== undefined))
    this.#entries.sort(compare)
    for (const id of gone) this.remove(id)
    this.#changed = isSettled ? mtimeMs : undefined
  }

  /** The entry of an upload that has no entry yet and must be listed. */
  #enter (upload: Upload): Entry | undefined {
    const { id, size, finished } = upload
    const made = Date.parse(String(upload.creation_date))
    if (isHidden(upload)) {
      this.remove(id)
      this.#hidden.add(id)
    }
    if (isHidden(upload) || Number.isNaN(made)) return undefined
    if (finished === true && size === 0) this.#empty.add(id)
    if (this.#made.has(id)) return undefined
    this.#made.set(id, made)
    return [id, made]
  }

  /** The uploads that still exist. */
  async #read (ids: string[]): Promise<Upload[]> {
    const uploads = await Promise.all(ids.map((id) => this.#store.getUpload(id).catch((error: unknown) => {
      if (error instanceof errors.NotFound) this.remove(id)
    })))
    return uploads.filter((upload) => upload !== undefined)
  }

  /** The position of an entry, or the position to insert it. */
  #indexOf (entry: Entry): number {
    let low = 0
    let high = this.#entries.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (compare(this.#entries[middle] as Entry, entry) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}

type Entry = [id: string, made: number]

function compare (a: Entry, b: Entry): number {
  return a[1] - b[1] || (a[0] < b[0] ? -1 : Number(a[0] > b[0]))
}

function parseCursor (cursor: string): Entry {
  const dash = cursor.indexOf('-')
  return [cursor.slice(dash + 1), Number(cursor.slice(0, dash))]
}
