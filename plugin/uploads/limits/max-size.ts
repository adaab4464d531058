import type { FastifyRequest } from 'fastify'
import { errors } from '../../errors.ts'
import type { Settings } from '../../settings.ts'
import type { UploadMetadata } from '../../types.ts'
import { callHook } from '../hooks.ts'

/** The maximum size of an upload, in bytes; `Infinity` for no limit. */
export async function maxSizeFor (
  { maxSize }: Settings, request: FastifyRequest, metadata: UploadMetadata = {}
): Promise<number> {
  if (typeof maxSize !== 'function') return maxSize
  return await callHook(async () => {
    const limit: unknown = await maxSize(request, metadata)
    if (typeof limit === 'number' && limit >= 0) return limit
    throw new TypeError(`maxSize returned ${String(limit)}, not a number of bytes`)
  })
}

/**
 * @throws FST_TUS_TOO_LARGE if a length exceeds the maximum size
 * @throws FST_TUS_LENGTH_MISMATCH if it cannot be counted exactly
 */
export function checkLength (length: number, maxSize: number): void {
  if (length > maxSize) throw new errors.TooLarge(maxSize)
  if (!Number.isSafeInteger(length)) throw new errors.LengthMismatch(`at most ${Number.MAX_SAFE_INTEGER}`, length)
}
