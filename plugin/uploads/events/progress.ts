import type { FastifyRequest } from 'fastify'
import type { Settings } from '../../settings.ts'
import type { EventPublisher, StoredEvent } from './events.ts'

interface Reported {
  at: number
  offset: number
}

/**
 * Calls `onProgress` for stored bytes: at most every `progressInterval` ms, and once more for the last ones of a body.
 */
export function reportProgress ({ onProgress, progressInterval }: Settings, events: EventPublisher): void {
  if (onProgress === undefined) return
  const last = new WeakMap<FastifyRequest, Reported>()

  const report = ({ upload, request, offset }: StoredEvent) => {
    last.set(request, { at: performance.now(), offset })
    // Not awaited: a slow or failing hook must not delay the bytes.
    Promise.resolve({ ...upload, offset })
      .then((current) => onProgress(request, current))
      .catch((err: unknown) => request.log.error({ err, uploadId: upload.id }, 'onProgress failed'))
  }
  events.on('stored', ({ upload, request, offset }) => {
    const { at = -Infinity } = last.get(request) ?? {}
    if (performance.now() - at >= progressInterval) report({ upload, request, offset })
  })
  events.on('appendEnded', ({ upload, request, offset }) => {
    const reported = last.get(request)
    // A body of which nothing was stored has nothing to report.
    if (offset === undefined || reported === undefined || reported.offset === offset) return
    report({ upload, request, offset })
  })
}
