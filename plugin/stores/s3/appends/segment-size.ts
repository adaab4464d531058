import type { Upload } from '../../../types.ts'

/** Each segment costs two requests, so that a large upload has longer ones, in bytes. */
const LONG_SEGMENT_BYTES = 16 * 1024 * 1024
const FEW_SEGMENTS = 16
/** S3 allows 10,000 parts; some are left for short segments. */
const MAX_SEGMENTS = 5000
/** While the length is unknown, the segments grow with the upload after this number. */
const EQUAL_SEGMENTS = 1000

/**
 * How many bytes the next segment of an upload has.
 * @param smallest - in bytes
 */
export function segmentBytesOf ({ size, offset }: Pick<Upload, 'size' | 'offset'>, smallest: number): number {
  if (size === undefined) return Math.max(smallest, offset / EQUAL_SEGMENTS)
  return Math.max(smallest, Math.min(LONG_SEGMENT_BYTES, size / FEW_SEGMENTS), size / MAX_SEGMENTS)
}
