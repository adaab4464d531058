import type { FastifyReply } from 'fastify'
import { type ErrorData, errors } from '../errors.ts'

/** An error that a client may see. Errors of the plugin have `data`. */
export interface PublicError extends Error {
  statusCode: number
  data?: ErrorData
}

/** Errors that have a 5xx status only so that clients retry: the server did not fail. */
const expected = [errors.TooManyUploads, errors.TooManyBodies, errors.Shutdown]

/** The error that a client gets: an error with a status is unchanged, any other is the cause of an internal error. */
export function publicError (error: unknown): PublicError {
  const { statusCode } = Object(error) as Partial<PublicError>
  return statusCode === undefined ? new errors.Internal({ cause: error }) : error as PublicError
}

/** Adds the headers of an error that are the same for all protocols. */
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
