import type { FastifyRequest } from 'fastify'
import { errors, withState } from '../errors.ts'
import type { FinishResponse, Upload } from '../types.ts'
import type { Body } from './body/pump.ts'
import { discard } from './discard.ts'
import { expiresAt } from './expiration.ts'
import { findUpload } from './find.ts'
import { finishUpload } from './completion.ts'
import { authorizeExisting } from './hooks.ts'
import { checkLength, maxSizeFor } from './limits/max-size.ts'
import { withLock } from './lock.ts'
import type { Scope } from './context.ts'
import { checkBodyLength, storeBody } from './body/store-body.ts'
import { isFinal, isPartial, isWhole } from './state.ts'

export interface Appending {
  /** Where the client believes the upload to be, in bytes. */
  offset: number
  /** The length of the whole upload, where the request tells it. */
  length: number | undefined
  body: Body
}

/**
 * Adds a body to an upload.
 * @returns the upload as it is then, and what the finish hook says where this was the last of it
 */
export async function appendToUpload (
  scope: Scope, request: FastifyRequest, id: string, { offset, length, body }: Appending
): Promise<{ upload: Upload, finish: FinishResponse | undefined }> {
  await authorizeExisting(scope, request, 'append', id)
  const appended = await withLock(scope, id, async (stop) => {
    const found = await findUpload(scope, id)
    try {
      if (isFinal(found)) throw new errors.FinalUpload()
      if (offset !== found.offset) {
        throw withState(new errors.OffsetMismatch(offset, found.offset), { offset: found.offset })
      }
      const declaredSize = newLength(found, length)
      // The limit was asked for when the length was declared.
      const limit = found.size ?? await maxSizeFor(scope, request, found.metadata)
      if (declaredSize !== undefined) checkLength(declaredSize, limit)
      const size = found.size ?? declaredSize
      const maxSize = size ?? limit
      checkBodyLength({ ...found, size }, body, maxSize)

      const upload = await storeBody(scope, request, found, body, { maxSize, declaredSize, stop })
      const due = !isWhole(found) || upload.finished === false
      return { upload, finish: due ? await finishUpload(scope, request, upload) : undefined }
    } catch (error) {
      if (error instanceof errors.TypeRefused) await discard(scope, id)
      throw withState(error as Error, { expiresAt: expiresAt(scope, found) })
    }
  })
  if (isPartial(appended.upload) && isWhole(appended.upload)) scope.finals.partFinished(id, request)
  return appended
}

/**
 * The length that came with a request, where it is news.
 * @throws FST_TUS_LENGTH_MISMATCH where it contradicts what is known
 */
function newLength (upload: Upload, length: number | undefined): number | undefined {
  if (length === undefined || length === upload.size) return undefined
  if (upload.size !== undefined) throw new errors.LengthMismatch('is known already and cannot be changed')
  if (length < upload.offset) throw new errors.LengthMismatch('is less than what is stored')
  return length
}
