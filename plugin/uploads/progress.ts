import type { FastifyRequest } from 'fastify'
import type { Upload } from '../types.ts'
import type { Scope } from './context.ts'

/** Tells `onProgress` of stored bytes, at most every `progressInterval` ms. */
export function progressOf (scope: Scope, request: FastifyRequest, upload: Upload): (bytes: number) => void {
  const { onProgress, progressInterval } = scope.settings
  if (onProgress === undefined) return () => {}
  let offset = upload.offset
  let told = -Infinity
  return (bytes) => {
    offset += bytes
    const now = performance.now()
    if (now - told < progressInterval) return
    told = now
    // Nobody waits for it: a slow or failing listener must not hold back the bytes.
    Promise.resolve({ ...upload, offset })
      .then((current) => onProgress(request, current))
      .catch((err: unknown) => request.log.error({ err, uploadId: upload.id }, 'onProgress failed'))
  }
}
