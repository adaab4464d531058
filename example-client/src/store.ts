import type { Edit } from './edit/recipe.ts'

/** What the browser remembers of an upload that is not finished, so that it survives a reload. */
export interface UploadRecord {
  id: string
  endpoint: string
  /** The name that the upload has on the server. */
  name: string
  /** Of what is uploaded: the file after its edits. */
  size: number
  type: string
  /** The chosen file, to tell what to look for. */
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
  /** Whether it was paused, and so must not go on by itself. */
  paused: boolean
  addedAt: number
}

/** Where the bytes come from after a reload: a handle of the file, or a copy of what is uploaded. */
export type Source = FileSystemFileHandle | File

/** A finished upload by the fingerprint of its file. */
export interface FinishedRecord {
  fingerprint: string
  /** Another server does not have it. */
  endpoint: string
  url: string
  finishedAt: number
}

/** A recording that is not closed yet. */
export interface RecordingRecord {
  id: string
  url: string
  name: string
}

/** An upload that is to be deleted on the server, once it can be told. */
export interface DeletionRecord {
  url: string
  owedAt: number
}

type StoreName = 'uploads' | 'sources' | 'finished' | 'recordings' | 'deletions'

const week = 7 * 24 * 60 * 60 * 1000

let database: Promise<IDBDatabase> | undefined

/** Everything that survives a reload, in IndexedDB. Rejects where the browser has none, as in some private windows. */
export const store = {
  /** Unfinished uploads, oldest first. Forgets those that are older than a week. */
  async uploads (now: number): Promise<UploadRecord[]> {
    const records = await request<UploadRecord[]>('uploads', 'readonly', store => store.getAll())
    const isOld = ({ addedAt }: UploadRecord) => now - addedAt > week
    for (const { id } of records.filter(isOld)) await this.delete(id)
    return records.filter(record => !isOld(record)).sort((a, b) => a.addedAt - b.addedAt)
  },

  upload: (id: string) => request<UploadRecord | undefined>('uploads', 'readonly', store => store.get(id)),

  /** Those of the same file, with the same edits. */
  uploadsOf: (fingerprint: string) =>
    request<UploadRecord[]>('uploads', 'readonly', store => store.index('fingerprint').getAll(fingerprint)),

  putUpload: (record: UploadRecord) => request('uploads', 'readwrite', store => store.put(record)),

  /** Forgets an upload and gives back the room of its copy. */
  async delete (id: string): Promise<void> {
    await request('uploads', 'readwrite', store => store.delete(id))
    await request('sources', 'readwrite', store => store.delete(id))
  },

  // In a store of their own: a File is copied each time that it is put.
  source: (id: string) => request<Source | undefined>('sources', 'readonly', store => store.get(id)),

  putSource: (id: string, source: Source) => request('sources', 'readwrite', store => store.put(source, id)),

  finished: (fingerprint: string) =>
    request<FinishedRecord | undefined>('finished', 'readonly', store => store.get(fingerprint)),

  putFinished: (record: FinishedRecord) => request('finished', 'readwrite', store => store.put(record)),

  recordings: () => request<RecordingRecord[]>('recordings', 'readonly', store => store.getAll()),

  putRecording: (record: RecordingRecord) => request('recordings', 'readwrite', store => store.put(record)),

  deleteRecording: (id: string) => request('recordings', 'readwrite', store => store.delete(id)),

  /** What is to be deleted on the server. Forgets what is older than a week. */
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
    // The next use opens it again.
    const forget = () => { database = undefined }
    opening.onsuccess = () => {
      // A tab with a newer page must not wait for this one.
      opening.result.onversionchange = () => {
        opening.result.close()
        forget()
      }
      opening.result.onclose = forget
      // It may have been blocked until now.
      database = Promise.resolve(opening.result)
      resolve(opening.result)
    }
    // By a tab with an older page. It still opens once that tab is gone, and another try would only wait behind it.
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
    // Not the success of the request: what is written is safe, and over the quota or not, when the transaction is done.
    transaction.oncomplete = () => resolve(asked.result as T)
    transaction.onabort = () => reject(transaction.error)
  })
}
