import { errors } from '../../errors.ts'
import { sendFinishResponse } from '../../http/finish-response.ts'
import { requestBody } from '../../http/request-body.ts'
import { createUpload } from '../../uploads/create.ts'
import { isComplete } from '../../uploads/state.ts'
import { completenessOf } from './dialects.ts'
import { contentDigest } from './digest.ts'
import { parseInteger } from './fields.ts'
import { addState, type Exchange, type Handler, locationFor, RESUMABLE_UPLOAD } from './handler.ts'
import { getsInterim, withInterim } from './interim.ts'
import { metadataOf } from './metadata.ts'

/** POST: creation (section 4.2). */
export const post: Handler = async (exchange) => {
  const { context, request, reply } = exchange
  const completes = completenessOf(request.headers)
  if (completes === undefined) throw new errors.InvalidHeader('Upload-Complete', 'must be ?0 or ?1')
  checkOffset(exchange)
  const body = requestBody(request, contentDigest(context, request.headers))

  const { upload, finish } = await createUpload(context, request, {
    ...metadataOf(request.headers),
    size: lengthOf(exchange, completes ? body.length : undefined),
    complete: false,
    protocol: RESUMABLE_UPLOAD,
    isAnnounced: getsInterim(exchange, body),
    body: withInterim(exchange, { ...body, completes })
  })

  reply.header('location', locationFor(exchange, upload))
  addState(exchange, upload, isComplete(upload))
  return isComplete(upload) ? sendFinishResponse(reply, 201, finish) : reply.code(201).send()
}

/** The first bytes of an upload are at 0; older dialects forbid to say so. */
function checkOffset ({ request: { headers }, dialect }: Exchange): void {
  const offset = parseInteger(headers['upload-offset'])
  if (offset === undefined || (offset === 0 && !dialect.refusesStray)) return
  throw new errors.InvalidHeader('Upload-Offset', 'is not allowed for a creation')
}

/**
 * The length that a creation declares: with `Upload-Length`, or by being complete.
 * @throws FST_TUS_LENGTH_MISMATCH if the two differ
 */
function lengthOf ({ request }: Exchange, ofBody: number | undefined): number | undefined {
  const declared = parseInteger(request.headers['upload-length'])
  if (declared !== undefined && ofBody !== undefined && declared !== ofBody) {
    throw new errors.LengthMismatch(declared, ofBody)
  }
  return declared ?? ofBody
}
