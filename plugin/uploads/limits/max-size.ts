import type { FastifyRequest } from 'fastify'
import { errors } from '../../errors.ts'
import type { UploadMetadata } from '../../types.ts'
import { callHook } from '../hooks.ts'
import type { Scope } from '../context.ts'

/** How many bytes an upload may have; `Infinity` for no limit. */
export async function maxSizeFor (
  scope: Scope, request: FastifyRequest, metadata: UploadMetadata = {}
): Promise<number> {
  const { maxSize } = scope.settings
  if (typeof maxSize !== 'function') return maxSize
  return await callHook(async () => {
    const limit: unknown = await maxSize(request, metadata)
    if (typeof limit === 'number' && limit >= 0) return limit
    throw new TypeError(`maxSize returned ${String(limit)}, which is not a number of bytes`)
  })
}

/**
 * @throws FST_TUS_TOO_LARGE where it is over the limit
 * @throws FST_TUS_LENGTH_MISMATCH where it is not a number of bytes that can be counted exactly
 */
export function checkLength (length: number, maxSize: number): void {
  if (length > maxSize) throw new errors.TooLarge(maxSize)
  if (!Number.isSafeInteger(length)) throw new errors.LengthMismatch('is too large')
}
