import type { FastifyReply, FastifyRequest } from 'fastify'
import { errors } from '../../errors.ts'
import { createFinalUpload } from '../../uploads/concatenation.ts'
import { type FinalConcat, parseRawMetadata, parseUploadMetadata } from './headers.ts'
import { hasBody } from '../../http/request-body.ts'
import { idsOf, locationOf } from '../../http/location.ts'
import { sendExpires, sendFinish, type Wire } from './handler.ts'

/** POST of a final upload: concatenation and concatenation-unfinished. */
export async function postFinal (
  wire: Wire, request: FastifyRequest, reply: FastifyReply, { header, urls }: FinalConcat
): Promise<FastifyReply> {
  const { headers } = request
  for (const name of ['Upload-Length', 'Upload-Defer-Length', 'Upload-Checksum']) {
    if (headers[name.toLowerCase()] === undefined) continue
    throw new errors.InvalidHeader(name, 'has no meaning for a final upload')
  }
  if (hasBody(request)) throw new errors.FinalUpload()

  const { upload, finish } = await createFinalUpload(wire.scope, request, {
    length: undefined,
    metadata: parseUploadMetadata(headers),
    rawMetadata: parseRawMetadata(headers),
    header,
    names: urls,
    idsOf: (names) => idsOf(wire.scope.settings, request, wire.prefix, names),
    mayBeUnfinished: wire.extensions.has('concatenation-unfinished')
  })

  reply.header('location', locationOf(wire.scope.settings, request, wire.prefix, upload.id))
  sendExpires(wire, reply, upload)
  return sendFinish(reply, 201, finish)
}
