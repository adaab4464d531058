import type { FastifyRequest } from 'fastify'
import { errors } from '../../errors.ts'
import type { ExpectedChecksum } from '../../uploads/body/checksum.ts'
import { needExtension, type TusContext } from './handler.ts'
import { announcesTrailer, parseUploadChecksum } from './headers.ts'

/**
 * What the body of a request must hash to: `Upload-Checksum` as a header, or as an announced trailer.
 * @returns `undefined` if there is none, or trailers are not offered and so mean nothing
 * @throws FST_TUS_INVALID_HEADER if it is malformed, has an unknown algorithm, or occurs twice
 * @throws FST_TUS_UNSUPPORTED if the extension is not offered
 */
export function expectedChecksum (tus: TusContext, { raw, headers }: FastifyRequest): ExpectedChecksum | undefined {
  const checksum = parseUploadChecksum(headers['upload-checksum'])
  if (checksum !== undefined) needExtension(tus, 'checksum')
  const hasTrailers = tus.extensions.has('checksum-trailer')
  const announced = hasTrailers && announcesTrailer(headers, 'upload-checksum')
  if (checksum !== undefined && announced) throw new errors.ChecksumTwice()
  if (checksum === undefined && !hasTrailers) return undefined
  return {
    checksum,
    announced,
    // A request from `inject` has no trailers.
    trailer: () => hasTrailers ? parseUploadChecksum(raw.trailers?.['upload-checksum']) : undefined
  }
}
