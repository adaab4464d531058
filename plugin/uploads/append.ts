import type { FastifyRequest } from 'fastify'
import { errors, withData } from '../errors.ts'
import type { Upload } from '../types.ts'
import type { Body } from './body/body.ts'
import { checkBodyLength, storeBody } from './body/store-body.ts'
import { processUpload } from './completion.ts'
import type { Context } from './context.ts'
import type { Outcome } from './create.ts'
import { discard } from './discard.ts'
import { expiresAt } from './expiration/expiration.ts'
import { authorizeExisting, findUpload } from './find.ts'
import { checkLength, maxSizeFor } from './limits/max-size.ts'
import { isComplete, isFinal, referenceTo } from './state.ts'

export interface Appending {
  /** The offset that the client expects, in bytes. */
  offset: number
  /** The length of the complete upload, in bytes, if the request declares it. */
  length: number | undefined
  body: Body
  /** Whether a body beyond the length, or the maximum size, of an upload deletes the upload. Default `false`. */
  discardsOverrun?: boolean
}

/** Appends a body to an upload. */
export async function appendToUpload (
  context: Context, request: FastifyRequest, id: string, { offset, length, body, discardsOverrun = false }: Appending
): Promise<Outcome> {
  const { settings, locks, events } = context
  const reference = await authorizeExisting(context, request, 'append', id)
  return await locks.hold(id, async (lock) => {
    const found = await findUpload(context, reference, offset)
    try {
      if (isFinal(found)) throw new errors.FinalUpload()
      checkOffset(found, offset)
      const declaredSize = newLength(found, length) ?? impliedLength(found, body)
      // The limit was checked when the length was declared.
      const limit = found.size ?? await maxSizeFor(settings, request, found.metadata)
      if (declaredSize !== undefined) checkLength(declaredSize, limit)
      const size = found.size ?? declaredSize
      const maxSize = size ?? limit
      checkBodyLength(body, found.offset, size, maxSize)

      const wasComplete = isComplete(found)
      const upload = await storeBody(context, request, found, body, { maxSize, declaredSize, lock })
      if (isComplete(upload) && !wasComplete) events.publish('completed', { upload, request })
      const isDue = !wasComplete || upload.finished === false
      return { upload, finish: isDue ? await processUpload(context, request, upload, lock) : undefined }
    } catch (caught) {
      const isOutdated = caught instanceof errors.Displaced && lock.release.reason === undefined
      const error = isOutdated ? await currentError(context, found, caught) : caught
      const isOverrun = error instanceof errors.BodyTooLong || error instanceof errors.TooLarge
      const isInvalid = error instanceof errors.TypeRefused || (isOverrun && discardsOverrun && !isComplete(found))
      if (isInvalid) await discard(context, request, found, lock)
      throw withData(error, { expiresAt: expiresAt(settings, found) })
    }
  })
}

/** @throws FST_TUS_OFFSET_MISMATCH */
function checkOffset (upload: Upload, offset: number): void {
  if (offset !== upload.offset) {
    throw withData(new errors.OffsetMismatch(upload.offset, offset), { offset: upload.offset })
  }
}

/**
 * A store with a cache notices only when it writes that another process has changed the upload. Then the upload is read
 * again, as if it had not been cached.
 * @returns the error for the response: that of the present state, or `displaced` if the offset is still the same
 */
async function currentError (context: Context, found: Upload, displaced: Error): Promise<unknown> {
  try {
    checkOffset(await findUpload(context, referenceTo(found)), found.offset)
    return displaced
  } catch (error) {
    return error
  }
}

/**
 * The length that a request declares, if it is not known yet.
 * @throws FST_TUS_LENGTH_MISMATCH if it contradicts what is known
 */
function newLength (upload: Upload, length: number | undefined): number | undefined {
  if (length === undefined || length === upload.size) return undefined
  if (upload.size !== undefined) throw new errors.LengthMismatch(upload.size, length)
  if (length < upload.offset) throw new errors.LengthMismatch(`at least ${upload.offset}`, length)
  return length
}

/** The length that a body of known length declares by completing the upload, if it is not known yet. */
function impliedLength (upload: Upload, body: Body): number | undefined {
  const isImplied = upload.size === undefined && body.completes === true && body.length !== undefined
  return isImplied ? upload.offset + (body.length as number) : undefined
}
