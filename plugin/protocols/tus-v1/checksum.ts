import type { FastifyRequest } from 'fastify'
import { errors } from '../../errors.ts'
import type { ExpectedChecksum } from '../../uploads/body/checksum.ts'
import { knownHeaders, type TusContext } from './handler.ts'
import { announcesTrailer, parseUploadChecksum } from './headers.ts'

/**
 * The expected checksum of a body: `Upload-Checksum` as a header, or as an announced trailer.
 * @returns `undefined` if there is none, or if it is ignored because the extension is not offered
 * @throws FST_TUS_INVALID_HEADER if it is malformed, has an unknown algorithm, or occurs twice
 */
export function expectedChecksum (tus: TusContext, request: FastifyRequest): ExpectedChecksum | undefined {
  const headers = knownHeaders(tus, request)
  const checksum = parseUploadChecksum(headers['upload-checksum'])
  const hasTrailers = tus.extensions.has('checksum-trailer')
  const announced = hasTrailers && announcesTrailer(headers, 'upload-checksum')
  if (checksum !== undefined && announced) throw new errors.ChecksumTwice()
  if (checksum === undefined && !hasTrailers) return undefined
  return {
    checksum,
    announced,
    // A request from `inject` has no trailers.
    trailer: () => hasTrailers ? parseUploadChecksum(request.raw.trailers?.['upload-checksum']) : undefined
  }
}
