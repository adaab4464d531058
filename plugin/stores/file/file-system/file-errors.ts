/** The meaning of file system errors for the file store. */
import { errors } from '../../../errors.ts'

/** Thrown for a record that a crash has truncated. */
export class DamagedRecord extends Error {}

/** Whether an error of the file system means that a file does not exist. */
export function isMissing (error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code
  return code === 'ENOENT' || code === 'ENOTDIR'
}

export function isDamaged (error: unknown): boolean {
  return error instanceof DamagedRecord
}

/** A rejection handler: resolves with `value` if the error is an expected one. */
export function unless<T> (expected: (error: unknown) => boolean, value: T): (error: unknown) => T {
  return (error) => {
    if (expected(error)) return value
    throw error
  }
}

/** @throws FST_TUS_EXISTS if the file exists already */
export function rethrowExisting (error: unknown): never {
  if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw new errors.Exists()
  throw error
}

/** @throws FST_TUS_GONE if the file does not exist */
export function rethrowMissing (error: unknown): never {
  if (isMissing(error)) throw new errors.Gone()
  throw error
}

/** @throws FST_TUS_GONE if the record is damaged */
export function rethrowDamaged (error: unknown): never {
  if (isDamaged(error)) throw new errors.Gone()
  throw error
}
