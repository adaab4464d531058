import path from 'node:path'
import { isDefaultId } from '../../ids.ts'
import { isDamaged, isMissing, unless } from './file-system/file-errors.ts'
import type { FileSystem } from './file-system/file-system.ts'
import { type FileRecords, temporaryNames } from './records.ts'

/** A younger file may belong to a creation under way, in ms. */
const MIN_AGE = 3_600_000

/**
 * Deletes the leftovers of crashes in the directory of a file store: temporary files, records without a file, and
 * damaged records with a generated id. Other files may belong to the user.
 * @returns how many were deleted
 */
export async function removeOrphans (records: FileRecords, fs: FileSystem): Promise<number> {
  let deleted = 0
  for await (const name of records.names()) {
    const isTemporary = temporaryNames.test(name)
    if (!isTemporary && !name.endsWith('.json')) continue
    // A failure must not affect the others; the next sweep retries.
    if (await removeOrphan(records, fs, name, isTemporary).catch(() => false)) deleted++
  }
  return deleted
}

async function removeOrphan (
  records: FileRecords, fs: FileSystem, name: string, isTemporary: boolean
): Promise<boolean> {
  const file = path.join(records.directory, name)
  if (!await isOld(fs, file)) return false
  const id = name.slice(0, -'.json'.length)
  if (!isTemporary && !await isOrphaned(records, fs, id)) return false
  if (!isTemporary) await fs.unlink(path.join(records.directory, id)).catch(unless(isMissing, undefined))
  await fs.unlink(file).catch(unless(isMissing, undefined))
  return true
}

async function isOld (fs: FileSystem, file: string): Promise<boolean> {
  const stats = await fs.stat(file).catch(unless(isMissing, undefined))
  return stats !== undefined && stats.mtimeMs + MIN_AGE <= Date.now()
}

async function isOrphaned (records: FileRecords, fs: FileSystem, id: string): Promise<boolean> {
  const record = await records.get(id).catch(unless(isDamaged, 'damaged' as const))
  if (record === 'damaged') return isDefaultId(id)
  if (record === undefined) return false
  return await fs.stat(path.join(records.directory, id)).then(() => false, unless(isMissing, true))
}
