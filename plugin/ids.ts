import { randomBytes } from 'node:crypto'

/**
 * An upload id is one path segment that means the same in a URL and as a file name. It never has the suffix of a file
 * that stores keep next to the bytes of an upload.
 */
const uploadId = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$/
const reservedEnding = /\.(json|tmp|info|lock)$/i
const defaultId = /^[0-9a-f]{32}$/

/** Whether a string, from a URL or a naming function, is a valid upload id. */
export function isUploadId (id: string): boolean {
  return uploadId.test(id) && !reservedEnding.test(id)
}

/** 128 random bits: not guessable, and never the same twice. */
export function newUploadId (): string {
  return randomBytes(16).toString('hex')
}

/** Whether an id has the form of an id from `newUploadId`. */
export function isDefaultId (id: string): boolean {
  return defaultId.test(id)
}
