import { validateHeaderName, validateHeaderValue } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { errors } from '../../errors.ts'
import type { Extension } from '../../options.ts'
import type { FinishResponse, Upload } from '../../types.ts'
import { expiresAt } from '../../uploads/expiration.ts'
import type { Scope } from '../../uploads/context.ts'
import { formatUploadExpires } from './headers.ts'

/** What the handlers of one registration share. */
export interface Wire {
  readonly scope: Scope
  readonly prefix: string
  readonly extensions: ReadonlySet<Extension>
}

/** Answers one request. `id` is that of the URL, and empty on the creation URL. */
export type Handler = (wire: Wire, request: FastifyRequest, reply: FastifyReply, id: string) => Promise<FastifyReply>

/** @throws FST_TUS_UNSUPPORTED where a request needs an extension that is not on offer */
export function needExtension (wire: Wire, extension: Extension): void {
  if (!wire.extensions.has(extension)) throw new errors.Unsupported(extension)
}

/**
 * Offsets count the bytes of the file: a coding would make them something else.
 * @throws FST_TUS_MEDIA_TYPE
 */
export function refuseCoding ({ headers }: FastifyRequest): void {
  const coding = headers['content-encoding']
  if (coding !== undefined && coding !== 'identity') throw new errors.MediaType('Content-Encoding is not supported')
}

/** Expiration: tells when an upload expires, if it does. */
export function sendExpires (wire: Wire, reply: FastifyReply, upload: Upload): void {
  const at = expiresAt(wire.scope, upload)
  if (at !== undefined) reply.header('upload-expires', formatUploadExpires(at))
}

/** Ends an answer, with what the finish hook wants of it. */
export function sendFinish (reply: FastifyReply, statusCode: number, finish: FinishResponse = {}): FastifyReply {
  const { body, headers = {}, statusCode: wanted } = finish
  // What HTTP cannot carry would leave the client without an answer.
  if (body !== undefined && typeof body !== 'string') throw new TypeError('onUploadFinish gave no text as body')
  if (wanted !== undefined && !(Number.isInteger(wanted) && wanted >= 200 && wanted <= 599)) {
    throw new RangeError(`onUploadFinish gave the status ${String(wanted)}`)
  }
  for (const [name, value] of Object.entries(headers)) {
    validateHeaderName(name)
    validateHeaderValue(name, value)
  }
  reply.headers(headers)
  reply.code(wanted ?? (statusCode === 204 && body !== undefined ? 200 : statusCode))
  return reply.send(body)
}
