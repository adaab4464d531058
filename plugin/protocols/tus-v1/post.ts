import { errors } from '../../errors.ts'
import { sendFinishResponse } from '../../http/finish-response.ts'
import { locationOf } from '../../http/location.ts'
import { mediaTypeOf, refuseContentCoding, requestBody } from '../../http/request-body.ts'
import { createUpload } from '../../uploads/create.ts'
import { expectedChecksum } from './checksum.ts'
import { addExpires, type Handler, needExtension } from './handler.ts'
import {
  OFFSET_OCTET_STREAM, parseRawMetadata, parseUploadConcat, parseUploadDeferLength, parseUploadLength,
  parseUploadMetadata
} from './headers.ts'
import { postFinal } from './post-final.ts'

/** POST: creation, creation-with-upload, creation-defer-length, and the partial uploads of concatenation. */
export const post: Handler = async (tus, request, reply) => {
  const { headers } = request
  const concat = parseUploadConcat(headers)
  if (concat !== undefined) needExtension(tus, 'concatenation')
  if (concat !== undefined && 'urls' in concat) return await postFinal(tus, request, reply, concat)
  const length = parseUploadLength(headers)
  const isDeferred = parseUploadDeferLength(headers)
  if (isDeferred === (length !== undefined)) {
    throw new errors.InvalidHeader('Upload-Length', 'or Upload-Defer-Length is required, but not both')
  }
  if (isDeferred) needExtension(tus, 'creation-defer-length')
  // Another type is the default of a client: tus gives such a body no meaning.
  const hasBytes = mediaTypeOf(headers) === OFFSET_OCTET_STREAM
  if (hasBytes) {
    needExtension(tus, 'creation-with-upload')
    refuseContentCoding(request)
  }

  const { upload, finish } = await createUpload(tus.context, request, {
    size: length,
    metadata: parseUploadMetadata(headers),
    rawMetadata: parseRawMetadata(headers),
    concatenation: concat,
    body: hasBytes ? requestBody(request, expectedChecksum(tus, request)) : undefined
  })

  reply.header('location', locationOf(tus.context.settings, request, tus.prefix, upload.id))
  if (hasBytes) reply.header('upload-offset', upload.offset)
  addExpires(tus, reply, upload)
  return sendFinishResponse(reply, 201, finish)
}
