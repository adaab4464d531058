import type { Upload } from '../types.ts'
import { isExpired } from './expiration.ts'
import { makeUpForFinish } from './completion.ts'
import { withFreeLock } from './lock.ts'
import type { Scope } from './context.ts'
import { isPartial, isPendingFinal, isWhole, partsOf } from './state.ts'

/**
 * Looks at all uploads, one after the other: deletes expired ones, makes up for finish hooks and joinings that a crash
 * prevented, and deletes what crashes left. Uploads in use are left for the next time; one that fails does not keep the
 * others waiting.
 */
export async function sweep (scope: Scope): Promise<{ expired: number, leftovers: number }> {
  let expired = 0
  // Which parts are waited for is known once all were looked at.
  const partsToDelete: string[] = []
  for await (const id of scope.store.list()) {
    if (scope.shutdown.aborted) return { expired, leftovers: 0 }
    const upload = await scope.store.getUpload(id).catch(() => undefined)
    if (upload === undefined) continue
    if (isPendingFinal(upload)) {
      // Counted at once: while its parts are looked at it may become whole, and would not be uncounted any more.
      scope.unfinished.found(upload)
      if (await isAbandoned(scope, upload)) expired += await settle(scope, id)
      else scope.finals.watch(upload, null)
    } else if (isPartial(upload) && isExpired(scope, upload, Date.now())) {
      partsToDelete.push(id)
    } else if (isExpired(scope, upload, Date.now()) || (upload.finished === false && isWhole(upload))) {
      expired += await settle(scope, id)
    } else if (!isWhole(upload)) {
      scope.unfinished.found(upload)
    }
  }
  for (const id of partsToDelete) {
    if (!scope.finals.waitFor(id)) expired += await settle(scope, id)
  }
  return { expired, leftovers: await scope.store.removeLeftovers() }
}

/**
 * Does with one upload what is due.
 * @returns how many expired uploads were deleted by it
 */
async function settle (scope: Scope, id: string): Promise<number> {
  try {
    // It may have changed before the lock was had.
    return await withFreeLock(scope, id, async () => {
      const upload = await scope.store.getUpload(id)
      const isGivenUp = isPendingFinal(upload) && await isAbandoned(scope, upload) && !await isGrowing(scope, upload)
      if (!isGivenUp && (scope.finals.waitFor(id) || !isExpired(scope, upload, Date.now()))) {
        await makeUpForFinish(scope, null, upload)
        return 0
      }
      await scope.store.remove(id)
      scope.finals.delete(id)
      scope.unfinished.delete(id)
      await tell(scope, upload)
      return 1
    }) ?? 0
  } catch (err) {
    scope.log.warn({ err, uploadId: id }, 'upload not swept')
    return 0
  }
}

async function tell (scope: Scope, upload: Upload): Promise<void> {
  try {
    await scope.settings.onUploadExpire?.(upload)
  } catch (err) {
    scope.log.error({ err, uploadId: upload.id }, 'onUploadExpire failed')
  }
}

/** Whether a final upload will never have all of its parts: some are missing or do not grow any more. */
async function isAbandoned (scope: Scope, final: Upload): Promise<boolean> {
  if (scope.settings.expiration === undefined) return false
  let isLacking = false
  for (const id of partsOf(final)) {
    const part = await scope.store.getUpload(id).catch(() => undefined)
    if (part !== undefined && !isExpired(scope, part, Date.now())) return false
    if (part === undefined || !isWhole(part)) isLacking = true
  }
  return isLacking
}

/** Whether a part is in use: what has a checksum is newer than it seems, since it counts only when it is verified. */
async function isGrowing (scope: Scope, final: Upload): Promise<boolean> {
  for (const id of partsOf(final)) {
    if (await withFreeLock(scope, id, async () => true) === undefined) return true
  }
  return false
}
