import type { FastifyRequest } from 'fastify'
import { errors } from '../../errors.ts'
import { sendFinishResponse } from '../../http/finish-response.ts'
import { locationOf } from '../../http/location.ts'
import { hasBody, mediaTypeOf, refuseContentCoding, requestBody } from '../../http/request-body.ts'
import { createUpload } from '../../uploads/create.ts'
import { expectedChecksum } from './checksum.ts'
import { addExpires, type Handler, knownHeaders, missingLength, type TusContext } from './handler.ts'
import {
  OFFSET_OCTET_STREAM, parseRawMetadata, parseUploadConcat, parseUploadDeferLength, parseUploadLength,
  parseUploadMetadata
} from './headers.ts'
import { postFinal } from './post-final.ts'

/** POST: creation, creation-with-upload, creation-defer-length, and the partial uploads of concatenation. */
export const post: Handler = async (tus, request, reply) => {
  const headers = knownHeaders(tus, request)
  const concat = parseUploadConcat(headers)
  if (concat !== undefined && 'urls' in concat) return await postFinal(tus, request, reply, concat)
  const length = parseUploadLength(headers)
  const isDeferred = parseUploadDeferLength(headers)
  if (length === undefined && !isDeferred) throw missingLength(tus, request)
  if (length !== undefined && isDeferred) {
    throw new errors.InvalidHeader('Upload-Defer-Length', 'and Upload-Length cannot be combined')
  }
  const hasBytes = bringsBytes(tus, request)
  if (hasBytes) refuseContentCoding(request)

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

/**
 * Whether the request contains the first bytes of the upload. Any other media type is a default of the client: tus
 * gives such a body no meaning.
 * @throws FST_TUS_UNSUPPORTED rather than dropping bytes that the client believes to be stored
 */
function bringsBytes ({ extensions }: TusContext, request: FastifyRequest): boolean {
  if (mediaTypeOf(request.headers) !== OFFSET_OCTET_STREAM) return false
  if (extensions.has('creation-with-upload')) return true
  if (hasBody(request)) throw new errors.Unsupported('creation-with-upload')
  return false
}
