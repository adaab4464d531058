import type { Edit } from './edit/recipe.ts'

/** The record of an unfinished upload, which survives a reload. */
export interface UploadRecord {
  id: string
  endpoint: string
  /** The name of the upload on the server. */
  name: string
  /** The size after edits. */
  size: number
  type: string
  /** The chosen file, to recognise it. */
  file: { name: string, size: number, lastModified: number }
  fingerprint: string
  recipe: Edit[]
  sliceSize: number
  lanes: { start: number, end: number, accepted: number, url: string | null }[]
  /**
   * The URL of the final upload of several lanes. `null`: the server creates it only at the end. `undefined`: it was
   * not created yet, or is unknown.
   */
  final?: string | null | undefined
  /** Whether it was paused, so that it does not resume automatically. */
  paused: boolean
  addedAt: number
}

/** The source of the bytes after a reload: a handle of the file, or a copy of the bytes to upload. */
export type Source = FileSystemFileHandle | File

/** A finished upload by the fingerprint of its file. */
export interface FinishedRecord {
  fingerprint: string
  /** The endpoint that has the upload. */
  endpoint: string
  url: string
  finishedAt: number
}

/** A recording that is not finished yet. */
export interface RecordingRecord {
  id: string
  url: string
  name: string
}

/** A pending deletion of an upload on the server. */
export interface DeletionRecord {
  url: string
  owedAt: number
}

type StoreName = 'uploads' | 'sources' | 'finished' | 'recordings' | 'deletions'

const week = 7 * 24 * 60 * 60 * 1000

let database: Promise<IDBDatabase> | undefined

/** All data that survives a reload, in IndexedDB. Rejects if the browser has none, as in some private windows. */
export const store = {
  /** Unfinished uploads, oldest first. Deletes those that are older than a week. */
  async uploads (now: number): Promise<UploadRecord[]> {
    const records = await request<UploadRecord[]>('uploads', 'readonly', store => store.getAll())
    const isOld = ({ addedAt }: UploadRecord) => now - addedAt > week
    for (const { id } of records.filter(isOld)) await this.delete(id)
    return records.filter(record => !isOld(record)).sort((a, b) => a.addedAt - b.addedAt)
  },

  upload: (id: string) => request<UploadRecord | undefined>('uploads', 'readonly', store => store.get(id)),

  /** The uploads of the same file with the same edits. */
  uploadsOf: (fingerprint: string) =>
    request<UploadRecord[]>('uploads', 'readonly', store => store.index('fingerprint').getAll(fingerprint)),

  putUpload: (record: UploadRecord) => request('uploads', 'readwrite', store => store.put(record)),

  /** Deletes an upload and its copy. */
  async delete (id: string): Promise<void> {
    await request('uploads', 'readwrite', store => store.delete(id))
    await request('sources', 'readwrite', store => store.delete(id))
  },

  // Separate from the records, because each put copies the File.
  source: (id: string) => request<Source | undefined>('sources', 'readonly', store => store.get(id)),

  putSource: (id: string, source: Source) => request('sources', 'readwrite', store => store.put(source, id)),

  finished: (fingerprint: string) =>
    request<FinishedRecord | undefined>('finished', 'readonly', store => store.get(fingerprint)),

  putFinished: (record: FinishedRecord) => request('finished', 'readwrite', store => store.put(record)),

  recordings: () => request<RecordingRecord[]>('recordings', 'readonly', store => store.getAll()),

  putRecording: (record: RecordingRecord) => request('recordings', 'readwrite', store => store.put(record)),

  deleteRecording: (id: string) => request('recordings', 'readwrite', store => store.delete(id)),

  /** Pending deletions on the server. Drops those that are older than a week. */
  async deletions (now: number): Promise<DeletionRecord[]> {
    const records = await request<DeletionRecord[]>('deletions', 'readonly', store => store.getAll())
    const isOld = ({ owedAt }: DeletionRecord) => now - owedAt > week
    for (const { url } of records.filter(isOld)) await this.deleteDeletion(url)
    return records.filter(record => !isOld(record))
  },

  putDeletion: (record: DeletionRecord) => request('deletions', 'readwrite', store => store.put(record)),

  deleteDeletion: (url: string) => request('deletions', 'readwrite', store => store.delete(url))
}

function open (): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open('fastify-tus', 2)
    opening.onupgradeneeded = ({ oldVersion }) => {
      if (oldVersion < 1) {
        opening.result.createObjectStore('uploads', { keyPath: 'id' })
        opening.result.createObjectStore('sources')
        opening.result.createObjectStore('finished', { keyPath: 'fingerprint' })
        opening.result.createObjectStore('recordings', { keyPath: 'id' })
      }
      opening.result.createObjectStore('deletions', { keyPath: 'url' })
      opening.transaction?.objectStore('uploads').createIndex('fingerprint', 'fingerprint')
    }
    // The next access opens it again.
    const forget = () => { database = undefined }
    opening.onsuccess = () => {
      // Closed, so that a tab with a newer page does not have to wait.
      opening.result.onversionchange = () => {
        opening.result.close()
        forget()
      }
      opening.result.onclose = forget
      // It may have been blocked until now.
      database = Promise.resolve(opening.result)
      resolve(opening.result)
    }
    // Blocked by a tab with an older page. It opens when that tab is closed; another attempt would only wait longer.
    opening.onblocked = () => reject(new Error('The database is in use'))
    opening.onerror = () => {
      forget()
      reject(opening.error)
    }
  })
}

async function request<T> (
  name: StoreName,
  mode: IDBTransactionMode,
  ask: (store: IDBObjectStore) => IDBRequest
): Promise<T> {
  const transaction = (await (database ??= open())).transaction(name, mode)
  return new Promise((resolve, reject) => {
    const asked = ask(transaction.objectStore(name))
    // Not the success of the request: only a completed transaction is safe and within the quota.
    transaction.oncomplete = () => resolve(asked.result as T)
    transaction.onabort = () => reject(transaction.error)
  })
}
