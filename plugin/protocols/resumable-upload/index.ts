import type { FastifyReply, FastifyRequest } from 'fastify'
import { errors, type TusError } from '../../errors.ts'
import { prepareErrorReply, publicError } from '../../http/error-reply.ts'
import { mediaTypeOf, requestBody } from '../../http/request-body.ts'
import { isUploadId } from '../../ids.ts'
import type { Upload } from '../../types.ts'
import type { Context } from '../../uploads/context.ts'
import type { Operation, Protocol } from '../protocol.ts'
import { del } from './delete.ts'
import { completenessFields, completenessOf, dialectOf, knownVersionOf, versionOf } from './dialects.ts'
import { addState, exchangeOf, type Handler, PARTIAL_UPLOAD, type Registration, RESUMABLE_UPLOAD } from './handler.ts'
import { head } from './head.ts'
import { formatLimits } from './limits.ts'
import { patch } from './patch.ts'
import { post } from './post.ts'
import { problemOf, sendProblem } from './problems.ts'

/** Errors that are the last word of the resource: the client must not resume. */
const final = [errors.TypeRefused]

/** Errors that a client avoids if it knows the limits. */
const ofLimits = [errors.TooLarge, errors.TooManyUploads, errors.ClientUploads, errors.InsufficientStorage]

/**
 * Resumable Uploads for HTTP (draft-ietf-httpbis-resumable-upload-01 to -12). Sections in the comments of this folder
 * are those of -12.
 */
export class ResumableUpload implements Protocol {
  readonly name = RESUMABLE_UPLOAD
  readonly mediaType = PARTIAL_UPLOAD
  readonly operations: { creation: Operation[], upload: Operation[] }
  readonly #registration: Registration
  readonly #handlers: ReadonlyMap<string, Handler>
  /** The requests that the finish hook refused. */
  readonly #refused = new WeakSet<FastifyRequest>()

  /** @param prefix - the path of the plugin */
  constructor (context: Context, prefix: string) {
    const { disabledExtensions } = context.settings
    const canCreate = context.store.capabilities.has('creation') && !disabledExtensions.has('creation')
    const canDelete = context.store.capabilities.has('termination') && !disabledExtensions.has('termination')
    this.#registration = { context, prefix }
    this.operations = {
      creation: canCreate ? [operation('POST', 'Creates an upload')] : [],
      upload: [
        operation('HEAD', 'Returns the offset of an upload'),
        operation('PATCH', 'Appends to an upload'),
        ...canDelete ? [operation('DELETE', 'Deletes an upload')] : []
      ]
    }
    this.#handlers = new Map([['POST', post], ['HEAD', head], ['GET', head], ['PATCH', patch], ['DELETE', del]])
    context.events.on('refused', ({ request }) => { if (request !== null) this.#refused.add(request) })
  }

  claims ({ headers }: FastifyRequest): boolean {
    return versionOf(headers) !== undefined || completenessOf(headers) !== undefined ||
      mediaTypeOf(headers) === PARTIAL_UPLOAD
  }

  methodOf ({ method }: FastifyRequest): string {
    return method
  }

  /** A client asks for the offset with HEAD, which a caching proxy turns into a GET. */
  mayBeHead (request: FastifyRequest): boolean {
    return this.claims(request)
  }

  async handle (request: FastifyRequest, reply: FastifyReply, id: string): Promise<FastifyReply> {
    if (id !== '' && !isUploadId(id)) throw new errors.NotFound()
    const handler = this.#handlers.get(request.method) as Handler
    try {
      return await handler(exchangeOf(this.#registration, request, reply, id))
    } catch (error) {
      const problem = problemOf(error)
      // After an error of the server, Apple's client gives up; after a lost connection, it resumes.
      const resumes = error instanceof errors.Shutdown && knownVersionOf(request.headers) !== undefined
      if (resumes) requestBody(request).close()
      if (problem === undefined) throw error
      return sendProblem(reply, problem, this.refuse(request, reply, error) as TusError)
    }
  }

  refuse (request: FastifyRequest, reply: FastifyReply, error: unknown): Error {
    const known = publicError(error)
    const dialect = dialectOf(request.headers)
    const isFinal = this.#refused.has(request) || final.some((kind) => known instanceof kind)
    const { offset, expected } = known.data ?? {}
    for (const name of ['upload-offset', 'upload-length', 'upload-limit']) reply.removeHeader(name)
    reply.headers(completenessFields(dialect, isFinal))
    if (offset !== undefined) reply.header('upload-offset', offset)
    if (ofLimits.some((kind) => known instanceof kind)) {
      const { settings } = this.#registration.context
      const maxSize = known instanceof errors.TooLarge ? expected : settings.maxSize
      reply.header('upload-limit', formatLimits(settings, dialect, undefined, maxSize))
    }
    // The status is one of tus.
    if (known instanceof errors.ChecksumMismatch) known.statusCode = 400
    prepareErrorReply(reply, known)
    return known
  }

  describe (reply: FastifyReply): void {
    const { settings } = this.#registration.context
    reply.header('upload-limit', formatLimits(settings, dialectOf(reply.request.headers)))
    // Up to -11.
    reply.header('accept-patch', PARTIAL_UPLOAD)
  }

  describeUpload (request: FastifyRequest, reply: FastifyReply, upload: Upload): void {
    addState({ ...this.#registration, request, reply, dialect: dialectOf(request.headers) }, upload)
  }

  /** A response of a hook of the app is not that of the resource, unless the hook says so. */
  stamp (reply: FastifyReply): void {
    const { request } = reply
    const version = knownVersionOf(request.headers)
    if (version !== undefined) reply.header('upload-draft-interop-version', version)
    if (reply.statusCode < 400 || reply.hasHeader('upload-complete')) return
    reply.headers(completenessFields(dialectOf(request.headers), false))
  }
}

function operation (method: string, summary: string): Operation {
  return { method, schema: { summary, tags: ['uploads'] } }
}
