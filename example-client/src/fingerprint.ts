import type { Edit } from './edit/recipe.ts'

/** What a fingerprint is made from: a `File`. */
export interface FileLike {
  name: string
  size: number
  lastModified: number
  slice (start: number, end: number): Blob
}

const sample = 1024 * 1024

/**
 * Tells one file from another, to find the upload of a file that is chosen again after a reload. Bytes from the start,
 * the middle and the end count too: a new export of a video often has the old name, and may have the old size. So does
 * what is done to the file before it is uploaded: the half of one edit must not be continued with the bytes of another.
 */
export async function fingerprint (file: FileLike, recipe: readonly Edit[] = []): Promise<string> {
  const about = JSON.stringify([file.name, file.size, file.lastModified, ...recipe])
  // Browsers hash on pages from https: and localhost only.
  if (!globalThis.crypto?.subtle) return about

  const middle = Math.max(Math.floor((file.size - sample) / 2), 0)
  const end = Math.max(file.size - sample, 0)
  const samples = [0, middle, end].map(start => file.slice(start, start + sample))
  const hash = await crypto.subtle.digest('SHA-256', await new Blob([about, ...samples]).arrayBuffer())
  return Array.from(new Uint8Array(hash), byte => byte.toString(16).padStart(2, '0')).join('')
}
