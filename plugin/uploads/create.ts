import type { FastifyRequest } from 'fastify'
import { errors } from '../errors.ts'
import { isUploadId, newUploadId } from '../ids.ts'
import type { FinishResponse, Upload, UploadMetadata } from '../types.ts'
import type { Body } from './body.ts'
import { finishUpload } from './finish.ts'
import { authorize, callHook } from './hooks.ts'
import { checkLength, maxSizeFor } from './limits.ts'
import { withLock } from './lock.ts'
import type { Scope } from './scope.ts'
import { checkBodyLength, storeBody } from './store-body.ts'

export interface Creation {
  /** In bytes; `undefined` where it is deferred. */
  length: number | undefined
  metadata: UploadMetadata
  /** As the client sent it. */
  rawMetadata: string | undefined
  /** The first bytes, where they come along. */
  body: Body | undefined
}

/**
 * Makes an upload, with its first bytes where they come along. What is refused leaves nothing behind.
 * @returns the upload, and what the finish hook says where it is whole already
 */
export async function createUpload (
  scope: Scope, request: FastifyRequest, { length, metadata, rawMetadata, body }: Creation
): Promise<{ upload: Upload, finish: FinishResponse | undefined }> {
  const draft: Upload = {
    id: await newId(scope, request, metadata),
    size: length,
    offset: 0,
    metadata,
    rawMetadata,
    creation_date: new Date().toISOString()
  }
  await authorize(scope, request, { action: 'create', upload: draft })
  const limit = await maxSizeFor(scope, request, metadata)
  if (length !== undefined) checkLength(length, limit)
  const maxSize = length ?? limit
  checkBodyLength(draft, body, maxSize)
  const changes = await callHook(() => scope.settings.onUploadCreate?.(request, draft))
  const wanted = changes?.metadata === undefined
    ? draft
    : { ...draft, metadata: changes.metadata, rawMetadata: undefined }

  return await withLock(scope, draft.id, async (stop) => {
    let upload = await scope.store.create(wanted)
    request.log.debug({ uploadId: upload.id, size: upload.size }, 'upload created')
    if (body !== undefined) {
      try {
        upload = await storeBody(scope, request, upload, body, { maxSize, stop })
      } catch (error) {
        if (!mayGoOn(error)) await scope.store.remove(upload.id)
        throw error
      }
    }
    return { upload, finish: await finishUpload(scope, request, upload) }
  })
}

/** Whether the first bytes only ended early: the upload stays until it expires. */
function mayGoOn (error: unknown): boolean {
  return [errors.Interrupted, errors.Displaced, errors.Shutdown].some((kind) => error instanceof kind)
}

async function newId (scope: Scope, request: FastifyRequest, metadata: UploadMetadata): Promise<string> {
  const { namingFunction } = scope.settings
  if (namingFunction === undefined) return newUploadId()
  const id: unknown = await callHook(() => namingFunction(request, metadata))
  if (typeof id !== 'string' || !isUploadId(id)) {
    request.log.error({ id }, 'namingFunction must return letters, digits, ".", "_" and "-", 100 at most')
    throw new errors.InvalidId()
  }
  return id
}
