import type { FastifyRequest } from 'fastify'
import { errors } from '../errors.ts'
import type { FinishResponse, Upload } from '../types.ts'
import type { Body } from './body/pump.ts'
import { discard } from './discard.ts'
import { type Draft, draftUpload, reviseDraft } from './new-upload.ts'
import { finishUpload } from './completion.ts'
import { checkLength, maxSizeFor } from './limits/max-size.ts'
import { withFreeLock } from './lock.ts'
import type { Scope } from './context.ts'
import { checkBodyLength, storeBody } from './body/store-body.ts'
import { counted } from './limits/upload-quota.ts'

interface Made {
  upload: Upload
  finish: FinishResponse | undefined
}

export interface Creation extends Draft {
  /** The first bytes, where they come along. */
  body: Body | undefined
}

/**
 * Makes an upload, with its first bytes where they come along. What is refused leaves nothing behind.
 * @returns the upload, and what the finish hook says where it is whole already
 */
export async function createUpload (
  scope: Scope, request: FastifyRequest, { body, ...creation }: Creation
): Promise<Made> {
  const draft = await draftUpload(scope, request, creation)
  const limit = await maxSizeFor(scope, request, draft.metadata)
  if (draft.size !== undefined) checkLength(draft.size, limit)
  const maxSize = draft.size ?? limit
  checkBodyLength(draft, body, maxSize)
  return await counted(scope, request, draft.id, () => make(scope, request, draft, body, maxSize), mayGoOn)
}

async function make (
  scope: Scope, request: FastifyRequest, draft: Upload, body: Body | undefined, maxSize: number
): Promise<Made> {
  const wanted = await reviseDraft(scope, request, draft)

  const created = await withFreeLock(scope, draft.id, async (stop) => {
    let upload = await scope.store.create(wanted)
    request.log.debug({ uploadId: upload.id, size: upload.size }, 'upload created')
    try {
      if (body !== undefined) upload = await storeBody(scope, request, upload, body, { maxSize, stop })
      return { upload, finish: await finishUpload(scope, request, upload) }
    } catch (error) {
      // Its URL was not told to anybody.
      if (!mayGoOn(error)) await discard(scope, upload.id)
      throw error
    }
  })
  // Whoever holds a lock of that name has an upload of that name.
  if (created === undefined) throw new errors.Exists()
  return created
}

/** Whether the first bytes only ended early: the upload stays until it expires. */
function mayGoOn (error: unknown): boolean {
  return [errors.Interrupted, errors.Displaced, errors.Shutdown].some((kind) => error instanceof kind)
}
