/** Stores with many uploads, filled without a server: the files are those that it would have made. */
import { closeSync, ftruncateSync, openSync, writeFileSync } from 'node:fs'
import type { Layout } from './layouts.ts'

/** Each upload has this length, and fewer bytes. */
const LENGTH = 7

/** The id of the upload of this number: as long as one of ours. */
export function storedId (number: number): string {
  return number.toString(16).padStart(32, '0')
}

/** How many bytes the upload of this number has. */
export function storedOffset (number: number): number {
  return number % LENGTH
}

/** Puts unfinished uploads into a directory, from one number up to another. */
export function fill (
  layout: Layout, directory: string, from: number, to: number, created = new Date()
): void {
  for (let number = from; number < to; number++) {
    const id = storedId(number)
    const offset = storedOffset(number)
    const file = openSync(layout.fileOf?.(directory, id) ?? '', 'wx')
    // No block of the disk is taken for bytes that were never written.
    if (offset > 0) ftruncateSync(file, offset)
    closeSync(file)
    const record = layout.record?.(directory, id, LENGTH, offset, created)
    if (record !== undefined) writeFileSync(record.file, record.text)
  }
}
