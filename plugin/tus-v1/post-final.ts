import { errors } from '../errors.ts'
import { createFinalUpload } from '../uploads/concatenation.ts'
import { parseRawMetadata, parseUploadConcat, parseUploadMetadata } from './headers.ts'
import { hasBody } from './incoming-body.ts'
import { idOf, locationOf } from './location.ts'
import { type Handler, sendExpires, sendFinish } from './wire.ts'

/** POST of a final upload: concatenation and concatenation-unfinished. */
export const postFinal: Handler = async (wire, request, reply) => {
  const { headers } = request
  const { header, urls = [] } = parseUploadConcat(headers) ?? { header: '' }
  for (const name of ['upload-length', 'upload-defer-length', 'upload-checksum']) {
    if (headers[name] !== undefined) throw new errors.InvalidHeader(name, 'has no meaning for a final upload')
  }
  if (hasBody(request)) throw new errors.FinalUpload()

  const { upload, finish } = await createFinalUpload(wire.scope, request, {
    length: undefined,
    metadata: parseUploadMetadata(headers),
    rawMetadata: parseRawMetadata(headers),
    header,
    parts: urls.map((url) => idOf(wire.scope.settings, request, wire.prefix, url)),
    mayBeUnfinished: wire.extensions.has('concatenation-unfinished')
  })

  reply.header('location', locationOf(wire.scope.settings, request, wire.prefix, upload.id))
  sendExpires(wire, reply, upload)
  return sendFinish(reply, 201, finish)
}
