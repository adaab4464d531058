import { isExpired } from './expiration.ts'
import { isPendingFinal, isWhole } from './find.ts'
import { makeUpForFinish } from './finish.ts'
import { withFreeLock } from './lock.ts'
import type { Scope } from './scope.ts'

/**
 * Looks at all uploads, one after the other: deletes expired ones, makes up for finish hooks that a crash prevented,
 * and deletes what crashes left. Uploads in use are left for the next time; one that fails does not keep the others
 * waiting.
 */
export async function sweep (scope: Scope): Promise<{ expired: number, leftovers: number }> {
  let expired = 0
  for await (const id of scope.store.list()) {
    if (scope.closing) return { expired, leftovers: 0 }
    try {
      if (!await isDue(scope, id)) continue
      // It may have changed before the lock was had.
      await withFreeLock(scope, id, async () => {
        const upload = await scope.store.getUpload(id)
        if (isExpired(scope, upload, Date.now())) {
          await scope.store.remove(id)
          scope.finals.delete(upload)
          expired++
          await scope.settings.onUploadExpire?.(upload)
        } else {
          await makeUpForFinish(scope, null, upload)
        }
      })
    } catch (err) {
      scope.log.warn({ err, uploadId: id }, 'upload not swept')
    }
  }
  return { expired, leftovers: await scope.store.removeLeftovers() }
}

async function isDue (scope: Scope, id: string): Promise<boolean> {
  const upload = await scope.store.getUpload(id).catch(() => undefined)
  if (upload === undefined || scope.finals.waitFor(id)) return false
  if (isExpired(scope, upload, Date.now())) return true
  if (isPendingFinal(upload)) {
    scope.finals.add(upload)
    scope.finals.complete(id, null)
  }
  return upload.finished === false && isWhole(upload)
}
