import { randomBytes } from 'node:crypto'

/**
 * The names of the objects of an upload. Ids do not begin with a dot, so that no upload has a name of the store. A
 * gateway to a file system cannot have both an object `a` and an object `a/b`: the objects of an upload are not below
 * its own name.
 */
export const UPLOADS = '.tus/'
/** One empty object for each upload that a sweep must check, by the hour in which it must. */
export const DUE = '.tus-due/'
export const CHECK = '.tus-check/'

export const folderOf = (id: string): string => `${UPLOADS}${id}/`
export const stateKey = (id: string): string => `${folderOf(id)}state`
export const segmentKey = (id: string, name: string): string => `${folderOf(id)}${name}`

/** A name that no other process uses. */
export function newName (): string {
  return randomBytes(12).toString('base64url')
}
