import path from 'node:path'
import { isDefaultId } from '../../ids.ts'
import { isDamaged, isMissing, unless } from './file-errors.ts'
import type { FileSystem } from './file-system.ts'
import { type FileRecords, temporaryNames } from './records.ts'

/** What a crash left is not touched before it is this old, in ms: it could be a creation under way. */
const LEFTOVER_AGE = 3_600_000

/**
 * Deletes what crashes left in the directory of a file store: what was written beside a record, records that have no
 * file, and records that cannot be read under an id that only we make. All else may be somebody's.
 * @returns how many
 */
export async function removeLeftovers (records: FileRecords, fs: FileSystem): Promise<number> {
  let deleted = 0
  for await (const name of records.names()) {
    const temporary = temporaryNames.test(name)
    if (!temporary && !name.endsWith('.json')) continue
    // One that fails does not keep the others waiting, and is looked at again.
    if (await removeLeftover(records, fs, name, temporary).catch(() => false)) deleted++
  }
  return deleted
}

async function removeLeftover (records: FileRecords, fs: FileSystem, name: string, temporary: boolean) {
  const file = path.join(records.directory, name)
  if (!await isOld(fs, file)) return false
  const id = name.slice(0, -'.json'.length)
  if (!temporary && !await isBroken(records, fs, id)) return false
  if (!temporary) await fs.unlink(path.join(records.directory, id)).catch(unless(isMissing, undefined))
  await fs.unlink(file).catch(unless(isMissing, undefined))
  return true
}

async function isOld (fs: FileSystem, file: string): Promise<boolean> {
  const stats = await fs.stat(file).catch(unless(isMissing, undefined))
  return stats !== undefined && stats.mtimeMs + LEFTOVER_AGE <= Date.now()
}

async function isBroken (records: FileRecords, fs: FileSystem, id: string): Promise<boolean> {
  const record = await records.get(id).catch(unless(isDamaged, 'damaged' as const))
  if (record === 'damaged') return isDefaultId(id)
  if (record === undefined) return false
  return await fs.stat(path.join(records.directory, id)).then(() => false, unless(isMissing, true))
}
