import type { FastifyReply } from 'fastify'
import { type ErrorData, errors } from '../errors.ts'

/** An error that a client may see. `data` is there if it is one of the plugin. */
export interface PublicError extends Error {
  statusCode: number
  data?: ErrorData
}

/** Errors with a 5xx status, so that clients retry, that are no failure of the server. */
const expected = [errors.TooManyUploads, errors.TooManyBodies, errors.Shutdown]

/** The error that a client gets: one with a status as it is, every other one as the cause of an internal error. */
export function publicError (error: unknown): PublicError {
  const { statusCode } = Object(error) as Partial<PublicError>
  return statusCode === undefined ? new errors.Internal({ cause: error }) : error as PublicError
}

/** Adds what every protocol says about an error. */
export function prepareErrorReply (reply: FastifyReply, error: PublicError): void {
  const { statusCode } = error
  if (statusCode === 423 || statusCode === 429 || statusCode === 503) reply.header('retry-after', '1')
  if (expected.some((kind) => error instanceof kind)) logAsInfo(reply)
}

/** Fastify logs 5xx at level error. */
function logAsInfo (reply: FastifyReply): void {
  const { log } = reply
  reply.log = Object.create(log, { error: { value: log.info.bind(log) } }) as typeof log
}
