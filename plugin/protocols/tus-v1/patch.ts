import { errors } from '../../errors.ts'
import { sendFinishResponse } from '../../http/finish-response.ts'
import { mediaTypeOf, refuseContentCoding, requestBody } from '../../http/request-body.ts'
import { appendToUpload } from '../../uploads/append.ts'
import { expectedChecksum } from './checksum.ts'
import { addExpires, type Handler } from './handler.ts'
import { OFFSET_OCTET_STREAM, parseUploadLength, parseUploadOffset } from './headers.ts'

/** PATCH: core, and the length of creation-defer-length. */
export const patch: Handler = async (tus, request, reply, id) => {
  const { headers } = request
  if (mediaTypeOf(headers) !== OFFSET_OCTET_STREAM) {
    throw new errors.MediaType(`Content-Type must be ${OFFSET_OCTET_STREAM}`)
  }
  refuseContentCoding(request)

  const { upload, finish } = await appendToUpload(tus.context, request, id, {
    offset: parseUploadOffset(headers),
    // Also without creation-defer-length: the upload may be older than the change that disabled the extension.
    length: parseUploadLength(headers),
    body: requestBody(request, expectedChecksum(tus, request))
  })

  reply.header('upload-offset', upload.offset)
  addExpires(tus, reply, upload)
  return sendFinishResponse(reply, 204, finish)
}
