import type { Upload } from '../../types.ts'
import { isComplete } from '../stored-upload.ts'

/** The parts of a store that `deleteExpired` needs. */
export interface ExpiringStore {
  getExpiration: () => number
  list: () => AsyncIterable<string>
  getUpload: (id: string) => Promise<Upload>
  remove: (id: string) => Promise<unknown>
}

/**
 * Deletes unfinished uploads that are older than the store's expiration period, except busy ones. For `@tus/server`
 * only: the plugin sweeps under its locks.
 * @returns how many were deleted
 */
export async function deleteExpired (store: ExpiringStore, isBusy: (id: string) => boolean): Promise<number> {
  const period = store.getExpiration()
  if (period === 0) return 0
  let deleted = 0
  for await (const id of store.list()) {
    const upload = await store.getUpload(id).catch(() => undefined)
    if (upload === undefined || isComplete(upload) || isBusy(id)) continue
    const isDue = Date.parse(String(upload.creation_date)) + period < Date.now()
    if (!isDue) continue
    await store.remove(id)
    deleted++
  }
  return deleted
}
