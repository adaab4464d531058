import type { FastifyReply, FastifyRequest } from 'fastify'
import { locationOf } from '../../http/location.ts'
import type { Upload } from '../../types.ts'
import type { Context } from '../../uploads/context.ts'
import { isFinished } from '../../uploads/state.ts'
import { completenessFields, type Dialect, dialectOf } from './dialects.ts'
import { formatLimits } from './limits.ts'

/** The name of the protocol in the records of its uploads. */
export const RESUMABLE_UPLOAD = 'resumable-upload'

/** The media type of bodies that are appended (section 6). */
export const PARTIAL_UPLOAD = 'application/partial-upload'

/** What the handlers of one registration share. */
export interface Registration {
  readonly context: Context
  readonly prefix: string
}

/** One request in its dialect. `id` is from the URL; empty on the creation URL. */
export interface Exchange extends Registration {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly id: string
  readonly dialect: Dialect
}

/** Handles one request. */
export type Handler = (exchange: Exchange) => Promise<FastifyReply>

export function exchangeOf (
  registration: Registration, request: FastifyRequest, reply: FastifyReply, id: string
): Exchange {
  return { ...registration, request, reply, id, dialect: dialectOf(request.headers) }
}

/**
 * Adds the fields that describe an upload. Every dialect needs some of them, and none forbids the others.
 * @param isComplete - whether the final response exists: this one, or an earlier one
 */
export function addState (
  { context, dialect, reply }: Omit<Exchange, 'id'>, upload: Upload, isComplete = isFinished(upload)
): void {
  reply.headers(completenessFields(dialect, isComplete))
  reply.header('upload-offset', upload.offset)
  if (upload.size !== undefined) reply.header('upload-length', upload.size)
  reply.header('upload-limit', formatLimits(context.settings, dialect, upload))
}

/** The URL of an upload, the same in all responses to its creation. */
export function locationFor ({ context, request, prefix }: Exchange, upload: Upload): string {
  return locationOf(context.settings, request, prefix, upload.id)
}
