import type { FastifyRequest } from 'fastify'
import { errors } from '../errors.ts'
import type { Intent, Upload, UploadReference } from '../types.ts'
import type { Context } from './context.ts'
import { isExpired } from './expiration/expiration.ts'
import { authorize } from './hooks.ts'
import { isComplete, isReferenceTo, isWaiting, referenceTo } from './state.ts'

/**
 * @param offset - the offset that the caller expects
 * @param known - the final uploads that the caller has read
 * @throws FST_TUS_NOT_FOUND if there is no such upload, or another upload has its id by now
 * @throws FST_TUS_GONE if the upload has expired, is damaged, or was refused by the finish hook
 */
export async function findUpload (
  context: Context, reference: UploadReference, offset?: number, known?: KnownFinals
): Promise<Upload> {
  const upload = await context.store.getUpload(reference.id, offset)
  if (!isReferenceTo(reference, upload)) throw new errors.NotFound()
  if (upload.refused === true) throw new errors.Gone()
  if (isExpired(context.settings, upload) && !await isAwaited(context, upload, known)) throw new errors.Gone()
  return upload
}

/** Whether an upload exists, is not complete, and has not expired. */
export async function isUnfinished (context: Context, id: string): Promise<boolean> {
  try {
    return !isComplete(await findUpload(context, { id }))
  } catch (error) {
    if (error instanceof errors.NotFound || error instanceof errors.Gone) return false
    throw error
  }
}

/** The upload of a reference, expired or not; `undefined` if it no longer exists. */
export async function findIfExists (context: Context, reference: UploadReference): Promise<Upload | undefined> {
  try {
    const upload = await context.store.getUpload(reference.id)
    return isReferenceTo(reference, upload) ? upload : undefined
  } catch (error) {
    if (error instanceof errors.NotFound || error instanceof errors.Gone) return undefined
    throw error
  }
}

/**
 * Which final uploads wait, for a request that looks at many parts: these may name the same final uploads, and the
 * records of those are long.
 */
export type KnownFinals = Map<string, boolean>

/** Whether a final upload waits for this part: it then lives longer than its expiration. */
export async function isAwaited (context: Context, part: Upload, known?: KnownFinals): Promise<boolean> {
  for (const reference of part.concatenation?.waiting ?? []) {
    if (await isStillWaiting(context, reference, known)) return true
  }
  return false
}

/** Whether a final upload exists and waits for its parts. */
export async function isStillWaiting (
  context: Context, reference: UploadReference, known: KnownFinals = new Map()
): Promise<boolean> {
  const key = `${reference.id} ${reference.creation_date}`
  const before = known.get(key)
  if (before !== undefined) return before
  const final = await findIfExists(context, reference)
  const isStill = final !== undefined && isWaiting(final)
  known.set(key, isStill)
  return isStill
}

/**
 * Asks the app whether this may happen to an existing upload. This comes before the lock, so that a refused request
 * displaces no other.
 * @returns the upload that was authorized: its id may be used again before the lock is held
 */
export async function authorizeExisting (
  context: Context, request: FastifyRequest, action: Intent['action'], id: string
): Promise<UploadReference> {
  const { settings } = context
  if (settings.authorize === undefined) return { id }
  const upload = await findUpload(context, { id })
  await authorize(settings, request, { action, upload })
  return referenceTo(upload)
}
