import type { FastifyBaseLogger } from 'fastify'
import type { EventPublisher, UploadEventName } from './events.ts'

/** Events that are logged at level debug, and their texts. */
const texts = {
  created: 'upload created',
  completed: 'upload completed',
  finished: 'upload finished',
  displaced: 'body displaced',
  terminated: 'upload terminated',
  expired: 'upload expired',
  discarded: 'upload discarded'
} as const satisfies Partial<Record<UploadEventName, string>>

/** Logs the lifecycle of uploads, with the logger of the request if there is one. */
export function logEvents (events: EventPublisher, log: FastifyBaseLogger): void {
  for (const [name, text] of Object.entries(texts) as Array<[keyof typeof texts, string]>) {
    events.on(name, ({ upload: { id, size }, request }) => (request?.log ?? log).debug({ uploadId: id, size }, text))
  }
}
