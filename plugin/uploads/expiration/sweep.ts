import { errors } from '../../errors.ts'
import type { Upload, UploadReference } from '../../types.ts'
import { retryFinishHook } from '../completion.ts'
import type { Context } from '../context.ts'
import { isExpired } from './expiration.ts'
import { findIfExists, isAwaited } from '../find.ts'
import { isComplete, isWaiting, partsOf } from '../state.ts'
import { settleFinal, stateOfParts } from '../concatenation/waiting-finals.ts'

/**
 * Checks the uploads that may be due, one after the other: deletes expired ones, calls finish hooks and concatenates
 * parts if a crash has prevented that, and deletes orphans. An upload that is locked is left to the next sweep. A
 * failure does not affect the others, except for a failure of the locker.
 * @throws FST_TUS_LOCKER_FAILED
 */
export async function sweep (context: Context): Promise<{ expired: number, orphans: number }> {
  const { store, events, log, shutdown } = context
  const start = performance.now()
  let expired = 0
  for await (const id of store.due(Date.now())) {
    if (shutdown.aborted) return { expired, orphans: 0 }
    try {
      const upload = await store.getUpload(id).catch(() => undefined)
      if (upload === undefined) continue
      // Before anything else is awaited: once the upload is complete, it must no longer be reported.
      if (!isComplete(upload)) events.publish('found', { upload, request: null })
      if (await isDue(context, upload)) expired += await sweepUpload(context, id)
    } catch (err) {
      // The locker would fail for every other upload too.
      if (err instanceof errors.LockerFailed) throw err
      log.warn({ err, uploadId: id }, 'upload not swept')
    }
  }
  const orphans = await store.removeOrphans()
  events.publish('swept', { expired, orphans, duration: performance.now() - start })
  return { expired, orphans }
}

async function isDue (context: Context, upload: Upload): Promise<boolean> {
  if (isWaiting(upload)) {
    return await isAbandoned(context, upload) || await stateOfParts(context, upload) !== 'open'
  }
  return await isOver(context, upload) || (upload.finished === false && isComplete(upload))
}

/**
 * Does whatever is due for one upload.
 * @returns how many expired uploads were deleted
 */
async function sweepUpload (context: Context, id: string): Promise<number> {
  const deleted = await context.locks.holdIfFree(id, async (lock) => {
    // It may have changed before it was locked, or been deleted by a client or by the sweep of another process.
    const upload = await findIfExists(context, { id })
    if (upload === undefined) return undefined
    const isDeletable = isWaiting(upload)
      ? await isAbandoned(context, upload) && !await isGrowing(context, upload)
      : await isOver(context, upload)
    if (!isDeletable) {
      const settled = await settleFinal(context, null, upload, lock)
      if (settled !== undefined) await retryFinishHook(context, null, settled, lock)
      return undefined
    }
    lock.assertHeld()
    await context.store.remove(id)
    context.events.publish('expired', { upload, request: null })
    await callExpireHook(context, upload)
    return upload
  })
  if (deleted === undefined) return 0
  // Its parts may be due now, and this sweep may already have passed them.
  let expired = 1
  for (const part of isWaiting(deleted) ? partsOf(deleted) : []) expired += await sweepPart(context, part)
  return expired
}

async function sweepPart (context: Context, reference: UploadReference): Promise<number> {
  const part = await findIfExists(context, reference)
  return part !== undefined && await isDue(context, part) ? await sweepUpload(context, part.id) : 0
}

/** Whether an upload has expired, and no final upload waits for it. */
async function isOver (context: Context, upload: Upload): Promise<boolean> {
  return isExpired(context.settings, upload) && !await isAwaited(context, upload)
}

async function callExpireHook (context: Context, upload: Upload): Promise<void> {
  try {
    await context.settings.onUploadExpire?.(upload)
  } catch (err) {
    context.log.error({ err, uploadId: upload.id }, 'onUploadExpire failed')
  }
}

/** Whether all parts of a final upload have expired, and one of them is incomplete. */
async function isAbandoned (context: Context, final: Upload): Promise<boolean> {
  if (context.settings.expiration === undefined) return false
  let isIncomplete = false
  for (const reference of partsOf(final)) {
    const part = await findIfExists(context, reference)
    if (part === undefined || !isExpired(context.settings, part)) return false
    isIncomplete ||= !isComplete(part)
  }
  return isIncomplete
}

/** Whether a part is in use: bytes with a checksum count only once they are verified, so it may look expired. */
async function isGrowing (context: Context, final: Upload): Promise<boolean> {
  for (const { id } of partsOf(final)) {
    if (await context.locks.holdIfFree(id, async () => true) === undefined) return true
  }
  return false
}
