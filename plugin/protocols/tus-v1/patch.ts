import { errors } from '../../errors.ts'
import { appendToUpload } from '../../uploads/append.ts'
import { OFFSET_OCTET_STREAM, parseMediaType, parseUploadLength, parseUploadOffset } from './headers.ts'
import { incomingBody } from '../../http/request-body.ts'
import { type Handler, refuseCoding, sendExpires, sendFinish } from './handler.ts'

/** PATCH: core, and the length of creation-defer-length. */
export const patch: Handler = async (wire, request, reply, id) => {
  const { headers } = request
  if (parseMediaType(headers) !== OFFSET_OCTET_STREAM) {
    throw new errors.MediaType(`Content-Type must be ${OFFSET_OCTET_STREAM}`)
  }
  refuseCoding(request)

  const { upload, finish } = await appendToUpload(wire.scope, request, id, {
    offset: parseUploadOffset(headers),
    length: parseUploadLength(headers),
    body: incomingBody(wire, request)
  })

  reply.header('upload-offset', upload.offset)
  sendExpires(wire, reply, upload)
  return sendFinish(reply, 204, finish)
}
