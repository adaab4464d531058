import { randomBytes } from 'node:crypto'

/**
 * What an upload id may look like: one path segment that means the same in a URL and as a file name. It never ends like
 * the files that a store keeps beside an upload.
 */
const uploadId = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$/
const besideUpload = /\.(json|tmp|info|lock)$/i
const defaultId = /^[0-9a-f]{32}$/

/** Whether a string, from a URL or a naming function, can be the id of an upload. */
export function isUploadId (id: string): boolean {
  return uploadId.test(id) && !besideUpload.test(id)
}

/** 128 random bits: nobody guesses it, and no two uploads get the same. */
export function newUploadId (): string {
  return randomBytes(16).toString('hex')
}

/** Whether `newUploadId` could have made it. */
export function isDefaultId (id: string): boolean {
  return defaultId.test(id)
}
