import { applyRecipe } from './edit/recipe.ts'
import { fingerprint } from './fingerprint.ts'
import type { Kept, Missing } from './state.ts'
import { store } from './store.ts'
import type { UploadRecord } from './store.ts'

/** Stores the source of an upload for a reload: a copy of at most `cap` bytes, or the handle of the file. */
export async function keepSource (
  record: UploadRecord,
  body: Blob,
  handle: FileSystemFileHandle | null,
  cap: number
): Promise<Kept> {
  let kept: Kept = 'record'
  try {
    // The handle first, which is stored at once. A copy takes seconds per gigabyte.
    if (handle) {
      await store.putSource(record.id, handle)
      kept = 'handle'
    }
    if (body.size <= cap && await hasRoom(body.size)) {
      const { name, lastModified } = record.file
      await store.putSource(record.id, new File([body], name, { type: body.type, lastModified }))
      kept = 'copy'
    }
  } catch {
    // No storage or not enough space.
  }
  // The source is useless without its record.
  return await store.upload(record.id).catch(() => undefined) ? kept : null
}

/** The restored source of an upload after a reload. */
export interface Restored {
  /** The bytes to upload. */
  body: Blob
  /** The file before its edits, if known. */
  original: File | null
  handle: FileSystemFileHandle | null
  kept: Kept
}

/** Restores the source of an upload. `ask` allows the permission prompt of the browser, on a click. */
export async function restoreSource (
  record: UploadRecord,
  ask: boolean
): Promise<Restored | Missing> {
  const source = await store.source(record.id).catch(() => undefined)
  if (!source) return 'file'
  if (source instanceof File) {
    return { body: source, original: record.recipe.length === 0 ? source : null, handle: null, kept: 'copy' }
  }
  try {
    const permission = ask ? await source.requestPermission() : await source.queryPermission()
    if (permission !== 'granted') return 'permission'
    const original = await source.getFile()
    const body = await matchFile(record, [original])
    return body ? { body, original, handle: source, kept: 'handle' } : 'changed'
  } catch {
    // Moved, deleted, or on a disk that is not connected.
    return 'file'
  }
}

/** The stored copy of an upload's bytes; `null` if there is none or it belongs to other bytes. */
export async function getKeptCopy (record: UploadRecord): Promise<File | null> {
  const source = await store.source(record.id)
  if (!(source instanceof File) || source.size !== record.size) return null
  // The fingerprint of an edited file is that of the original.
  return record.recipe.length > 0 || await fingerprint(source) === record.fingerprint ? source : null
}

/** The bytes of an upload, edits applied, if its file is among `files`; otherwise `null`. */
export async function matchFile (record: UploadRecord, files: readonly File[]): Promise<Blob | null> {
  const others = record.recipe.flatMap(edit => edit.op === 'join' ? edit.files : []).map(({ name, size }) =>
    files.find(file => file.name === name && file.size === size))
  const { name, size, lastModified } = record.file
  for (const file of files) {
    // Checked first, because a fingerprint reads the file.
    if (file.name !== name || file.size !== size || file.lastModified !== lastModified) continue
    if (await fingerprint(file, record.recipe) !== record.fingerprint) continue
    if (others.every(other => other !== undefined)) return applyRecipe(file, record.recipe, others)
  }
  return null
}

async function hasRoom (bytes: number): Promise<boolean> {
  const { quota = 0, usage = 0 } = await navigator.storage.estimate()
  return quota - usage >= 2 * bytes
}
