import { errors } from '../../errors.ts'
import { createUpload } from '../../uploads/create.ts'
import {
  OFFSET_OCTET_STREAM, parseMediaType, parseRawMetadata, parseUploadConcat, parseUploadDeferLength, parseUploadLength,
  parseUploadMetadata
} from './headers.ts'
import { incomingBody } from '../../http/request-body.ts'
import { locationOf } from '../../http/location.ts'
import { postFinal } from './post-final.ts'
import { type Handler, needExtension, refuseCoding, sendExpires, sendFinish } from './handler.ts'

/** POST: creation, creation-with-upload, creation-defer-length, and the partial uploads of concatenation. */
export const post: Handler = async (wire, request, reply) => {
  const { headers } = request
  const concat = parseUploadConcat(headers)
  if (concat !== undefined) needExtension(wire, 'concatenation')
  if (concat !== undefined && 'urls' in concat) return await postFinal(wire, request, reply, concat)
  const length = parseUploadLength(headers)
  const deferred = parseUploadDeferLength(headers)
  if (deferred === (length !== undefined)) {
    throw new errors.InvalidHeader('Upload-Length', 'or Upload-Defer-Length is required, and not both')
  }
  if (deferred) needExtension(wire, 'creation-defer-length')
  // Another type is a client's default: tus gives the body no meaning then.
  const withUpload = parseMediaType(headers) === OFFSET_OCTET_STREAM
  if (withUpload) {
    needExtension(wire, 'creation-with-upload')
    refuseCoding(request)
  }

  const { upload, finish } = await createUpload(wire.scope, request, {
    length,
    metadata: parseUploadMetadata(headers),
    rawMetadata: parseRawMetadata(headers),
    concatenation: concat,
    body: withUpload ? incomingBody(wire, request) : undefined
  })

  reply.header('location', locationOf(wire.scope.settings, request, wire.prefix, upload.id))
  if (withUpload) reply.header('upload-offset', upload.offset)
  sendExpires(wire, reply, upload)
  return sendFinish(reply, 201, finish)
}
