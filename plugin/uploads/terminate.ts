import type { FastifyRequest } from 'fastify'
import { errors } from '../errors.ts'
import type { Upload } from '../types.ts'
import { findUpload } from './find.ts'
import { authorizeExisting } from './hooks.ts'
import { withLock } from './lock.ts'
import type { Scope } from './context.ts'
import { isWhole } from './state.ts'

/**
 * Deletes an upload, finished or not. A body that is on its way to it is ended first. Of one that is partly gone
 * already the rest is deleted.
 */
export async function terminateUpload (scope: Scope, request: FastifyRequest, id: string): Promise<void> {
  await authorizeExisting(scope, request, 'terminate', id)
  const upload = await withLock(scope, id, async () => {
    scope.finals.delete(id)
    const upload = await findUpload(scope, id).catch(async (error: unknown) => {
      if (error instanceof errors.NotFound || error instanceof errors.Gone) {
        await scope.store.remove(id)
        scope.unfinished.delete(id)
      }
      throw error
    })
    if (scope.settings.disableTerminationForFinishedUploads && isWhole(upload)) throw new errors.TerminationRefused()
    await scope.store.remove(id)
    scope.unfinished.delete(id)
    return upload
  })
  await tell(scope, request, upload)
}

async function tell (scope: Scope, request: FastifyRequest, upload: Upload): Promise<void> {
  try {
    await scope.settings.onUploadTerminate?.(request, upload)
  } catch (err) {
    // The upload is deleted, whatever the hook thinks of it.
    request.log.error({ err, uploadId: upload.id }, 'onUploadTerminate failed')
  }
}
