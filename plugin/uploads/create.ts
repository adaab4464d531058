import type { FastifyRequest } from 'fastify'
import { errors } from '../errors.ts'
import type { FinishResponse, Upload } from '../types.ts'
import type { Body } from './body/body.ts'
import { checkBodyLength, storeBody } from './body/store-body.ts'
import { processUpload } from './completion.ts'
import type { Context } from './context.ts'
import { discard } from './discard.ts'
import { checkLength, maxSizeFor } from './limits/max-size.ts'
import type { HeldLock } from './locking/upload-locks.ts'
import { applyCreateHook, draftUpload, type NewUpload } from './new-upload.ts'
import { isComplete } from './state.ts'

/** An upload after an operation, and the response of its finish hook if that has run. */
export interface Outcome {
  upload: Upload
  finish: FinishResponse | undefined
}

export interface Creation extends NewUpload {
  /** The first bytes, if the request has any. */
  body: Body | undefined
  /** Whether `accept` gives the client the URL: then the upload remains if its body fails. Default `false`. */
  isAnnounced?: boolean
}

/**
 * Creates an upload, with its first bytes if the request has any. A creation that is refused leaves nothing behind; one
 * whose body only ends early leaves an upload that the client can resume.
 */
export async function createUpload (
  context: Context, request: FastifyRequest, { body, isAnnounced = false, ...wanted }: Creation
): Promise<Outcome> {
  const { settings } = context
  const draft = await draftUpload(settings, request, wanted)
  const limit = await maxSizeFor(settings, request, draft.metadata)
  if (draft.size !== undefined) checkLength(draft.size, limit)
  const maxSize = draft.size ?? limit
  checkBodyLength(body, 0, draft.size, maxSize)
  return await create(context, request, draft, {
    fill: async (upload, lock) => {
      return body === undefined ? upload : await storeBody(context, request, upload, body, { maxSize, lock })
    },
    remains: (error) => isAnnounced ? !isInvalid(error) : isResumable(error)
  })
}

/** Whether the body ended early. */
function isResumable (error: unknown): boolean {
  const kinds = [errors.Interrupted, errors.Displaced, errors.Shutdown, errors.LockLost]
  return kinds.some((kind) => error instanceof kind)
}

/** Whether no body can complete the upload from now on. */
function isInvalid (error: unknown): boolean {
  return [errors.TypeRefused, errors.BodyTooLong, errors.TooLarge].some((kind) => error instanceof kind)
}

/** How a new upload gets its bytes. */
export interface Filling {
  /** Called once the upload exists, while it is locked; returns the upload afterwards. */
  fill: (upload: Upload, lock: HeldLock) => Promise<Upload>
  /** Whether the upload remains after an error, for the client to resume it. */
  remains: (error: unknown) => boolean
}

/** The steps that are common to all creations. */
export async function create (
  context: Context, request: FastifyRequest, draft: Upload, { fill, remains }: Filling
): Promise<Outcome> {
  return await context.limits.uploads.admit(request, draft.id, async () => {
    const wanted = await applyCreateHook(context.settings, request, draft)
    const outcome = await context.locks.holdIfFree(draft.id, async (lock) => {
      const created = await context.store.create(wanted)
      context.events.publish('created', { upload: created, request })
      try {
        const upload = await fill(created, lock)
        if (isComplete(upload)) context.events.publish('completed', { upload, request })
        return { upload, finish: await processUpload(context, request, upload, lock) }
      } catch (error) {
        // The client does not know its URL.
        if (!remains(error)) await discard(context, request, created, lock)
        throw error
      }
    })
    // If the id is locked, there is an upload with that id.
    if (outcome === undefined) throw new errors.Exists()
    return outcome
  })
}
