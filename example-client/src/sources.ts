import { applyRecipe } from './edit/recipe.ts'
import { fingerprint } from './fingerprint.ts'
import type { Kept, Missing } from './state.ts'
import { store } from './store.ts'
import type { UploadRecord } from './store.ts'

/** Keeps what an upload needs after a reload: a copy where it is not larger than `cap` bytes, or the file's handle. */
export async function keepSource (
  record: UploadRecord,
  body: Blob,
  handle: FileSystemFileHandle | null,
  cap: number
): Promise<Kept> {
  let kept: Kept = 'record'
  try {
    // First the handle, which is written in no time: a copy takes seconds for each gigabyte.
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
    // No storage, or no room after all.
  }
  // Without its record the rest is of no use.
  return await store.upload(record.id).catch(() => undefined) ? kept : null
}

/** What is left of an upload's file after a reload. */
export interface Restored {
  /** What is uploaded. */
  body: Blob
  /** The file before its edits, if that is known. */
  original: File | null
  handle: FileSystemFileHandle | null
  kept: Kept
}

/** Gets the bytes of an upload after a reload. `ask` may show the browser's question: only on a click. */
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
    // Moved, deleted, or on a disk that is not there now.
    return 'file'
  }
}

/** The copy that is kept of what is uploaded; `null` where there is none, or not of what was begun. */
export async function getKeptCopy (record: UploadRecord): Promise<File | null> {
  const source = await store.source(record.id)
  if (!(source instanceof File) || source.size !== record.size) return null
  // Of an edited file the fingerprint is that of the original.
  return record.recipe.length > 0 || await fingerprint(source) === record.fingerprint ? source : null
}

/** The bytes of an upload from files among which its own is, edits applied; `null`: it is not among them. */
export async function matchFile (record: UploadRecord, files: readonly File[]): Promise<Blob | null> {
  const others = record.recipe.flatMap(edit => edit.op === 'join' ? edit.files : []).map(({ name, size }) =>
    files.find(file => file.name === name && file.size === size))
  const { name, size, lastModified } = record.file
  for (const file of files) {
    // A fingerprint reads the file.
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
