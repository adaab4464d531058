import type { Edit } from './edit/recipe.ts'

/** The source of a fingerprint: a `File`. */
export interface FileLike {
  name: string
  size: number
  lastModified: number
  slice (start: number, end: number): Blob
}

const sample = 1024 * 1024

/**
 * Identifies a file, to find its upload if it is chosen again after a reload. Includes samples of the start,
 * the middle and the end, because a new export of a video often has the same name and may have the same size. Includes
 * the edits, because an upload must not continue with the bytes of another edit.
 */
export async function fingerprint (file: FileLike, recipe: readonly Edit[] = []): Promise<string> {
  const about = JSON.stringify([file.name, file.size, file.lastModified, ...recipe])
  // Browsers hash only on pages from https: and localhost.
  if (!globalThis.crypto?.subtle) return about

  const middle = Math.max(Math.floor((file.size - sample) / 2), 0)
  const end = Math.max(file.size - sample, 0)
  const samples = [0, middle, end].map(start => file.slice(start, start + sample))
  const hash = await crypto.subtle.digest('SHA-256', await new Blob([about, ...samples]).arrayBuffer())
  return Array.from(new Uint8Array(hash), byte => byte.toString(16).padStart(2, '0')).join('')
}
