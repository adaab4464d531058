import type { FastifyReply, FastifyRequest } from 'fastify'
import { errors } from '../../errors.ts'
import { sendFinishResponse } from '../../http/finish-response.ts'
import { locationOf, uploadIdsOf } from '../../http/location.ts'
import { hasBody } from '../../http/request-body.ts'
import { createFinalUpload } from '../../uploads/concatenation/concatenate.ts'
import { addExpires, knownHeaders, type TusContext } from './handler.ts'
import { type FinalConcat, parseRawMetadata, parseUploadMetadata } from './headers.ts'

/** POST of a final upload: concatenation and concatenation-unfinished. */
export async function postFinal (
  tus: TusContext, request: FastifyRequest, reply: FastifyReply, { header, urls }: FinalConcat
): Promise<FastifyReply> {
  const headers = knownHeaders(tus, request)
  const { settings } = tus.context
  for (const name of ['Upload-Length', 'Upload-Defer-Length', 'Upload-Checksum']) {
    if (headers[name.toLowerCase()] === undefined) continue
    throw new errors.InvalidHeader(name, 'is not allowed for a final upload')
  }
  if (hasBody(request)) throw new errors.FinalUpload()

  const { upload, finish } = await createFinalUpload(tus.context, request, {
    metadata: parseUploadMetadata(headers),
    rawMetadata: parseRawMetadata(headers),
    header,
    ids: uploadIdsOf(settings, request, tus.prefix, urls).map((id) => {
      if (id === undefined) throw new errors.InvalidHeader('Upload-Concat', 'must list URLs of uploads on this server')
      return id
    }),
    allowsUnfinished: tus.extensions.has('concatenation-unfinished')
  })

  reply.header('location', locationOf(settings, request, tus.prefix, upload.id))
  addExpires(tus, reply, upload)
  return sendFinishResponse(reply, 201, finish)
}
