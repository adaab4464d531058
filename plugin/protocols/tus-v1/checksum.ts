import type { FastifyRequest } from 'fastify'
import { errors } from '../../errors.ts'
import type { ExpectedChecksum } from '../../uploads/body/checksum.ts'
import { announcesTrailer, parseUploadChecksum } from './headers.ts'
import { needExtension, type Wire } from './handler.ts'

/**
 * What the body of a request must hash to: `Upload-Checksum` as a header, or announced as a trailer.
 * @returns `undefined` where nothing is said, or trailers are not on offer and so mean nothing
 * @throws FST_TUS_INVALID_HEADER where it is malformed, of an unknown algorithm, or there twice
 * @throws FST_TUS_UNSUPPORTED where the extension is not on offer
 */
export function expectedChecksum (wire: Wire, { raw, headers }: FastifyRequest): ExpectedChecksum | undefined {
  const checksum = parseUploadChecksum(headers['upload-checksum'])
  if (checksum !== undefined) needExtension(wire, 'checksum')
  const trailers = wire.extensions.has('checksum-trailer')
  const announced = trailers && announcesTrailer(headers, 'upload-checksum')
  if (checksum !== undefined && announced) throw new errors.ChecksumTwice()
  if (checksum === undefined && !trailers) return undefined
  return {
    checksum,
    announced,
    // A request that is injected has none.
    behind: () => trailers ? parseUploadChecksum(raw.trailers?.['upload-checksum']) : undefined
  }
}
