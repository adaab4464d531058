/** Fills stores with many uploads without a server: the files equal those that a server creates. */
import { closeSync, ftruncateSync, openSync, writeFileSync } from 'node:fs'
import type { Layout } from './layouts.ts'

/** The length of each upload. The offset is smaller. */
const LENGTH = 7

/** The id of the upload with this number, of the same length as our own ids. */
export function storedId (number: number): string {
  return number.toString(16).padStart(32, '0')
}

/** The offset of the upload with this number. */
export function storedOffset (number: number): number {
  return number % LENGTH
}

/** Writes unfinished uploads to a directory, from number `from` up to, but not including, `to`. */
export function fill (
  layout: Layout, directory: string, from: number, to: number, created = new Date()
): void {
  for (let number = from; number < to; number++) {
    const id = storedId(number)
    const offset = storedOffset(number)
    const file = openSync(layout.fileOf?.(directory, id) ?? '', 'wx')
    // A sparse file takes no disk blocks.
    if (offset > 0) ftruncateSync(file, offset)
    closeSync(file)
    const record = layout.record?.(directory, id, LENGTH, offset, created)
    if (record !== undefined) writeFileSync(record.file, record.text)
  }
}
