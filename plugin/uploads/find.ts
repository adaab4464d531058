import type { FastifyRequest } from 'fastify'
import { errors } from '../errors.ts'
import type { Intent, Upload, UploadReference } from '../types.ts'
import type { Context } from './context.ts'
import { isExpired } from './expiration/expiration.ts'
import { authorize } from './hooks.ts'
import { isReferenceTo, isWaiting, referenceTo } from './state.ts'

/**
 * @param offset - the offset that the caller expects
 * @throws FST_TUS_NOT_FOUND if there is no such upload, or another upload has its id by now
 * @throws FST_TUS_GONE if the upload has expired, is damaged, or was refused by the finish hook
 */
export async function findUpload (context: Context, reference: UploadReference, offset?: number): Promise<Upload> {
  const upload = await context.store.getUpload(reference.id, offset)
  if (!isReferenceTo(reference, upload)) throw new errors.NotFound()
  if (upload.refused === true) throw new errors.Gone()
  if (isExpired(context.settings, upload) && !await isAwaited(context, upload)) throw new errors.Gone()
  return upload
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

/** Whether a final upload waits for this part: it then lives longer than its expiration. */
export async function isAwaited (context: Context, part: Upload): Promise<boolean> {
  for (const reference of part.concatenation?.waiting ?? []) {
    const final = await findIfExists(context, reference)
    if (final !== undefined && isWaiting(final)) return true
  }
  return false
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
