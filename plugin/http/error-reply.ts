import type { FastifyReply, FastifyRequest } from 'fastify'
import { errors, stateOf, type TusError } from '../errors.ts'
import { formatUploadExpires } from '../protocols/tus-v1/headers.ts'

/** What is answered with 5xx, so that clients try again, and is no failure of the server. */
const expected = [errors.TooManyUploads, errors.TooManyBodies, errors.Shutdown]

/**
 * Puts on the answer what helps the client to go on, and chooses the error that it gets.
 * @param method - that of the request, or what overrides it
 */
export function refuse (method: string, request: FastifyRequest, reply: FastifyReply, error: Error): Error {
  const { offset, expiresAt } = stateOf(error)
  if (offset !== undefined) reply.header('upload-offset', offset)
  if (expiresAt !== undefined) reply.header('upload-expires', formatUploadExpires(expiresAt))
  const isMeant = (error as Partial<TusError>).statusCode !== undefined
  const known = isMeant ? error : new errors.Internal({ cause: error })
  const refused = method === 'HEAD' ? neverFailHead(request, known) : known
  const { statusCode } = refused as { statusCode?: number }
  // A status of tus itself, which HTTP has no phrase for; HTTP/2 has no phrases at all.
  if (statusCode === 460 && request.raw.httpVersionMajor < 2) reply.raw.statusMessage = 'Checksum Mismatch'
  if (statusCode === 423 || statusCode === 429 || statusCode === 503) reply.header('retry-after', '1')
  if (expected.some((kind) => refused instanceof kind)) logAsInfo(reply)
  return refused
}

/** After a HEAD that fails with 5xx tus-js-client begins a new upload from zero; after 423 it asks again. */
function neverFailHead (request: FastifyRequest, error: Error): Error {
  if ((error as TusError).statusCode < 500) return error
  request.log.error({ err: error }, 'HEAD failed')
  return new errors.Locked({ cause: error })
}

/** Fastify logs what is answered with 5xx as an error. */
function logAsInfo (reply: FastifyReply): void {
  const { log } = reply
  reply.log = Object.create(log, { error: { value: log.info.bind(log) } }) as typeof log
}
