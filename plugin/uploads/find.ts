import type { FastifyRequest } from 'fastify'
import { errors } from '../errors.ts'
import type { Intent, Upload } from '../types.ts'
import type { Context } from './context.ts'
import { isExpired } from './expiration.ts'
import { authorize } from './hooks.ts'
import { isReferenceTo, isWaiting } from './state.ts'

/**
 * @param offset - the one that the caller expects
 * @throws FST_TUS_NOT_FOUND
 * @throws FST_TUS_GONE if the upload has expired, is damaged, or was refused by the finish hook
 */
export async function findUpload (context: Context, id: string, offset?: number): Promise<Upload> {
  const upload = await context.store.getUpload(id, offset)
  if (upload.refused === true) throw new errors.Gone()
  if (isExpired(context.settings, upload) && !await isAwaited(context, upload)) throw new errors.Gone()
  return upload
}

/** Like `findUpload`, but `undefined` for an upload that does not exist any more. */
export async function findIfExists (context: Context, id: string): Promise<Upload | undefined> {
  try {
    return await context.store.getUpload(id)
  } catch (error) {
    if (error instanceof errors.NotFound || error instanceof errors.Gone) return undefined
    throw error
  }
}

/** Whether a final upload waits for this part: it then lives longer than its expiration. */
export async function isAwaited (context: Context, part: Upload): Promise<boolean> {
  for (const reference of part.concatenation?.waiting ?? []) {
    const final = await findIfExists(context, reference.id)
    if (final !== undefined && isReferenceTo(reference, final) && isWaiting(final)) return true
  }
  return false
}

/**
 * Asks the app whether this may happen to an existing upload: before the lock is taken, so that a request that is
 * refused disturbs nobody.
 */
export async function authorizeExisting (
  context: Context, request: FastifyRequest, action: Intent['action'], id: string
): Promise<void> {
  const { settings } = context
  if (settings.authorize === undefined) return
  await authorize(settings, request, { action, upload: await findUpload(context, id) })
}
