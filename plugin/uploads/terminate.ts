import type { FastifyRequest } from 'fastify'
import { errors } from '../errors.ts'
import type { Upload } from '../types.ts'
import type { Context } from './context.ts'
import { authorizeExisting, findIfExists, findUpload } from './find.ts'
import { isComplete, isReferenceTo } from './state.ts'

/**
 * Deletes an upload, complete or not. A body under way is ended first. If some of its data is already gone, the rest is
 * deleted.
 */
export async function terminateUpload (context: Context, request: FastifyRequest, id: string): Promise<void> {
  const reference = await authorizeExisting(context, request, 'terminate', id)
  const { settings, store } = context
  const upload = await context.locks.hold(id, async (lock) => {
    const upload = await findUpload(context, reference).catch(async (error: unknown) => {
      const isGone = error instanceof errors.NotFound || error instanceof errors.Gone
      // Another upload may have the id by now.
      const found = isGone ? await findIfExists(context, { id }) : undefined
      if (isGone && (found === undefined || isReferenceTo(reference, found))) {
        lock.assertHeld()
        await store.remove(id)
        context.events.publish('terminated', { upload: { id, offset: 0, ...found }, request })
      }
      throw error
    })
    if (settings.disableTerminationForFinishedUploads && isComplete(upload)) throw new errors.TerminationRefused()
    lock.assertHeld()
    await store.remove(id)
    context.events.publish('terminated', { upload, request })
    return upload
  })
  await callTerminateHook(context, request, upload)
}

async function callTerminateHook (context: Context, request: FastifyRequest, upload: Upload): Promise<void> {
  try {
    await context.settings.onUploadTerminate?.(request, upload)
  } catch (err) {
    // The upload is deleted, whatever the hook does.
    request.log.error({ err, uploadId: upload.id }, 'onUploadTerminate failed')
  }
}
