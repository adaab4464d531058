import type { FastifyReply, FastifyRequest } from 'fastify'
import { errors } from '../../errors.ts'
import { prepareErrorReply, type PublicError, publicError } from '../../http/error-reply.ts'
import { isUploadId } from '../../ids.ts'
import { checksumAlgorithms } from '../../uploads/body/checksum.ts'
import type { Context } from '../../uploads/context.ts'
import type { Operation, Protocol } from '../protocol.ts'
import { del } from './delete.ts'
import { nameHeaders } from './error-text.ts'
import { ignoredHeaders, offeredExtensions } from './extensions.ts'
import type { Handler, TusContext } from './handler.ts'
import { head } from './head.ts'
import { formatUploadExpires, OFFSET_OCTET_STREAM, TUS_VERSION } from './headers.ts'
import { patch } from './patch.ts'
import { post } from './post.ts'

/** One method: its handler, and its description. */
interface TusOperation extends Operation {
  handler: Handler
}

/** tus 1.0.0 (https://tus.io/protocols/resumable-upload). */
export class TusV1 implements Protocol {
  readonly mediaType = OFFSET_OCTET_STREAM
  readonly operations: { creation: TusOperation[], upload: TusOperation[] }
  readonly #tus: TusContext
  readonly #handlers: ReadonlyMap<string, Handler>

  /** @param prefix - the path of the plugin */
  constructor (context: Context, prefix: string) {
    const extensions = offeredExtensions(context)
    this.#tus = { context, prefix, extensions, ignored: ignoredHeaders(extensions) }
    this.operations = {
      creation: extensions.has('creation') ? [operation('POST', 'Creates an upload', post)] : [],
      upload: [
        operation('HEAD', 'Returns the offset of an upload', head),
        operation('PATCH', 'Appends to an upload', patch),
        ...extensions.has('termination') ? [operation('DELETE', 'Deletes an upload', del)] : []
      ]
    }
    const all = [...this.operations.creation, ...this.operations.upload]
    this.#handlers = new Map(all.map(({ method, handler }) => [method, handler]))
  }

  claims ({ headers }: FastifyRequest): boolean {
    return headers['tus-resumable'] !== undefined || Boolean(headers['x-http-method-override'])
  }

  /** OPTIONS is never overridden: apps accept it without credentials, for the preflights of browsers. */
  methodOf ({ method, headers }: FastifyRequest): string {
    const override = headers['x-http-method-override']
    const isOverridden = typeof override === 'string' && override !== '' && method !== 'OPTIONS'
    return isOverridden ? override.toUpperCase() : method
  }

  /** A reader of a growing upload may be a client too: it sends `Range` or `?from=`. */
  mayBeHead ({ headers, query }: FastifyRequest): boolean {
    return headers['tus-resumable'] !== undefined && headers.range === undefined && !('from' in (query as object))
  }

  handle (request: FastifyRequest, reply: FastifyReply, id: string): Promise<FastifyReply> {
    checkVersion(request, reply)
    if (id !== '' && !isUploadId(id)) throw new errors.NotFound()
    const handler = this.#handlers.get(this.methodOf(request)) as Handler
    return handler(this.#tus, request, reply, id)
  }

  refuse (request: FastifyRequest, reply: FastifyReply, error: unknown): Error {
    const known = nameHeaders(publicError(error))
    const { offset, expiresAt } = known.data ?? {}
    if (offset !== undefined) reply.header('upload-offset', offset)
    if (expiresAt !== undefined) reply.header('upload-expires', formatUploadExpires(expiresAt))
    const method = this.methodOf(request)
    const refused = method === 'HEAD' && this.claims(request) ? neverFailHead(request, known) : known
    // After 404, the client would silently start over; after 423, it retries, and then fails.
    const isUnfinished = refused instanceof errors.NotFinished
    if (method === 'GET' && isUnfinished && this.mayBeHead(request)) refused.statusCode = 423
    // HTTP defines no reason phrase for this status of tus. HTTP/2 has no reason phrases.
    if (refused.statusCode === 460 && request.raw.httpVersionMajor < 2) reply.raw.statusMessage = 'Checksum Mismatch'
    prepareErrorReply(reply, refused)
    return refused
  }

  describe (reply: FastifyReply): void {
    const { context: { settings: { maxSize } }, extensions } = this.#tus
    reply.header('tus-version', TUS_VERSION)
    if (extensions.size > 0) reply.header('tus-extension', [...extensions].join(','))
    if (extensions.has('checksum')) reply.header('tus-checksum-algorithm', checksumAlgorithms.join(','))
    if (typeof maxSize === 'number' && maxSize !== Infinity) reply.header('tus-max-size', maxSize)
  }

  stamp (reply: FastifyReply): void {
    reply.header('tus-resumable', TUS_VERSION)
  }
}

function operation (method: string, summary: string, handler: Handler): TusOperation {
  return { method, schema: { summary, tags: ['uploads'] }, handler }
}

function checkVersion (request: FastifyRequest, reply: FastifyReply): void {
  if (request.headers['tus-resumable'] === TUS_VERSION) return
  reply.headers({ 'tus-version': TUS_VERSION, 'tus-resumable': TUS_VERSION })
  throw new errors.Version()
}

/** After a HEAD that fails with 5xx, tus-js-client starts a new upload; after 423, it retries. */
function neverFailHead (request: FastifyRequest, error: PublicError): PublicError {
  if (error.statusCode < 500) return error
  request.log.error({ err: error }, 'HEAD failed')
  return new errors.Locked({ cause: error })
}
