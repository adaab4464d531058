import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { errors } from '../../errors.ts'
import type { Extension } from '../../options.ts'
import type { Upload } from '../../types.ts'
import type { Context } from '../../uploads/context.ts'
import { expiresAt } from '../../uploads/expiration/expiration.ts'
import type { IgnoredHeader } from './extensions.ts'
import { formatUploadExpires } from './headers.ts'

/** What the handlers of one registration share. */
export interface TusContext {
  readonly context: Context
  readonly prefix: string
  readonly extensions: ReadonlySet<Extension>
  /** Headers of the extensions that are not offered. */
  readonly ignored: readonly IgnoredHeader[]
}

/** Handles one request. `id` is from the URL; empty on the creation URL. */
export type Handler = (
  tus: TusContext, request: FastifyRequest, reply: FastifyReply, id: string
) => Promise<FastifyReply>

/** The headers of a request, without those of extensions that are not offered. */
export function knownHeaders ({ ignored }: TusContext, { headers }: FastifyRequest): IncomingHttpHeaders {
  const present = ignored.filter(({ name }) => headers[name] !== undefined)
  if (present.length === 0) return headers
  return { ...headers, ...Object.fromEntries(present.map(({ name }) => [name, undefined])) }
}

/** The error for a creation without a length. It may have relied on a header that is ignored. */
export function missingLength ({ ignored, extensions }: TusContext, { headers }: FastifyRequest): Error {
  const relied = ignored.find(({ name, extension }) => extension !== 'checksum' && headers[name] !== undefined)
  if (relied !== undefined) return new errors.Unsupported(relied.extension)
  const isDeferrable = extensions.has('creation-defer-length')
  return new errors.InvalidHeader('Upload-Length', isDeferrable ? 'or Upload-Defer-Length is required' : 'is required')
}

/** Expiration: adds `Upload-Expires`, if the upload expires. */
export function addExpires ({ context }: TusContext, reply: FastifyReply, upload: Upload): void {
  const at = expiresAt(context.settings, upload)
  if (at !== undefined) reply.header('upload-expires', formatUploadExpires(at))
}
