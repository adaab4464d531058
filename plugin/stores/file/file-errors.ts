/** What errors of the file system mean to the file store. */
import { errors } from '../../errors.ts'

/** Thrown for a file that may have been a record, and was cut off by a crash. */
export class DamagedRecord extends Error {}

/** Whether an error of the file system says that the file is not there. */
export function isMissing (error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code
  return code === 'ENOENT' || code === 'ENOTDIR'
}

/** Whether an error says that a record was cut off. */
export function isDamaged (error: unknown): boolean {
  return error instanceof DamagedRecord
}

/** A handler of rejections: resolves with `value` where the error is an expected one. */
export function unless<T> (expected: (error: unknown) => boolean, value: T): (error: unknown) => T {
  return (error) => {
    if (expected(error)) return value
    throw error
  }
}

/** @throws FST_TUS_EXISTS where the file is there already */
export function rethrowExisting (error: unknown): never {
  if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw new errors.Exists()
  throw error
}

/** @throws FST_TUS_GONE where the file is not there */
export function rethrowMissing (error: unknown): never {
  if (isMissing(error)) throw new errors.Gone()
  throw error
}

/** @throws FST_TUS_GONE where the record was cut off */
export function rethrowDamaged (error: unknown): never {
  if (isDamaged(error)) throw new errors.Gone()
  throw error
}
