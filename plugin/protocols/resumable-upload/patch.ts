import { errors } from '../../errors.ts'
import { sendFinishResponse } from '../../http/finish-response.ts'
import { mediaTypeOf, requestBody } from '../../http/request-body.ts'
import { appendToUpload } from '../../uploads/append.ts'
import { isComplete } from '../../uploads/state.ts'
import { completenessOf } from './dialects.ts'
import { contentDigest } from './digest.ts'
import { parseInteger } from './fields.ts'
import { addState, type Exchange, type Handler, locationFor, PARTIAL_UPLOAD } from './handler.ts'
import { withInterim } from './interim.ts'

/**
 * PATCH: append (section 4.4). An append at the end of a complete upload gets the final response again: a client that
 * lost it repeats the request.
 */
export const patch: Handler = async (exchange) => {
  const { context, request, reply, id, dialect } = exchange
  const { headers } = request
  if (dialect.needsMediaType && mediaTypeOf(headers) !== PARTIAL_UPLOAD) {
    throw new errors.MediaType(`Content-Type must be ${PARTIAL_UPLOAD}`)
  }
  const offset = parseInteger(headers['upload-offset'])
  if (offset === undefined) throw new errors.InvalidHeader('Upload-Offset', 'must be an integer, 0 or above')
  const body = requestBody(request, contentDigest(context, headers))

  const { upload, finish } = await appendToUpload(context, request, id, {
    offset,
    length: parseInteger(headers['upload-length']),
    body: withInterim(exchange, { ...body, completes: completes(exchange) }),
    discardsOverrun: true
  })

  addState(exchange, upload, isComplete(upload))
  if (!isComplete(upload)) return reply.code(dialect.appended).send()
  reply.header('location', locationFor(exchange, upload))
  return sendFinishResponse(reply, 201, finish)
}

function completes ({ request, dialect }: Exchange): boolean {
  const completes = completenessOf(request.headers)
  if (completes !== undefined) return completes
  if (dialect.needsCompleteness) throw new errors.InvalidHeader('Upload-Complete', 'must be ?0 or ?1')
  return true
}
