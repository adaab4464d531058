import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchema } from 'fastify'
import { get } from '../download/get.ts'
import { errors, stateOf, type TusError } from '../errors.ts'
import { isUploadId } from '../ids.ts'
import type { FastifyTusOptions } from '../options.ts'
import { corsHeaders } from './cors.ts'
import { del } from './delete.ts'
import { head } from './head.ts'
import { formatUploadExpires, OFFSET_OCTET_STREAM, TUS_VERSION } from './headers.ts'
import { endUnread } from './linger.ts'
import { options as optionsHandler } from './options.ts'
import { patch } from './patch.ts'
import { post } from './post.ts'
import type { Handler, Wire } from './wire.ts'

type Handlers = Map<string, Handler>

/** The longest time that a timer of Node.js can wait, in ms. */
const FOR_EVER = 2 ** 31 - 1

/** Mounts tus 1.0.0: everything below the prefix is answered here, so that every answer is a tus answer. */
export function mountTusV1 (
  fastify: FastifyInstance, wire: Wire, { schemaHide = true }: Pick<FastifyTusOptions, 'schemaHide'>
): void {
  // Bodies are streams whatever their type says: the handlers judge it.
  fastify.removeAllContentTypeParsers()
  // By its name, the type of every append is found at once.
  fastify.addContentTypeParser([OFFSET_OCTET_STREAM, '*'], (_request, payload, done) => {
    // It may fail before anybody reads it, if anybody does.
    payload.on('error', () => {})
    done(null, payload)
  })
  stampAnswers(fastify, wire)

  const { creation, upload } = handlersOf(wire)
  const route = {
    method: fastify.supportedMethods,
    exposeHeadRoute: false,
    schema: { hide: schemaHide } as FastifySchema,
    // A timeout for all routes of the app is not meant for bodies that take hours; `idleTimeout` watches those.
    ...((fastify.initialConfig as { handlerTimeout?: number }).handlerTimeout ? { handlerTimeout: FOR_EVER } : {})
  }
  fastify.route({ ...route, url: '/', handler: (request, reply) => dispatch(wire, creation, request, reply, '') })
  fastify.route({
    ...route,
    // Also what can be no id, too long for a parameter of Fastify or with a slash.
    url: '/*',
    handler: (request, reply) => dispatch(wire, upload, request, reply, (request.params as { '*': string })['*'])
  })
}

function handlersOf ({ scope, extensions }: Wire): { creation: Handlers, upload: Handlers } {
  const creation: Handlers = new Map([['OPTIONS', optionsHandler]])
  if (extensions.has('creation')) creation.set('POST', post)
  const upload: Handlers = new Map([
    ['OPTIONS', optionsHandler], ['HEAD', head], ['PATCH', patch]
  ])
  if (extensions.has('termination')) upload.set('DELETE', del)
  if (scope.settings.download !== undefined && scope.store.canRead) upload.set('GET', download)
  return { creation, upload }
}

async function dispatch (
  wire: Wire, handlers: Handlers, request: FastifyRequest, reply: FastifyReply, id: string
): Promise<FastifyReply> {
  const method = effectiveMethod(request, handlers)
  try {
    const handler = handlers.get(method)
    if (handler === undefined) {
      reply.header('allow', [...handlers.keys()].join(', '))
      // Whatever stands in the override, the answer is short.
      throw new errors.MethodNotAllowed(method.slice(0, 20))
    }
    reply.header('cache-control', 'no-store')
    if (method !== 'OPTIONS') {
      if (method !== 'GET') checkVersion(request, reply)
      if (id !== '' && !isUploadId(id)) throw new errors.NotFound()
    }
    return await handler(wire, request, reply, id)
  } catch (error) {
    throw refuse(method, request, reply, error as Error)
  }
}

/**
 * `X-HTTP-Method-Override` is for clients that cannot send every method. OPTIONS stays what it is: apps let it pass
 * without credentials, for the sake of browsers' preflights. A HEAD without the version of the protocol is that of a
 * download, which is a GET without its body.
 */
function effectiveMethod (request: FastifyRequest, handlers: Handlers): string {
  const { 'x-http-method-override': override, 'tus-resumable': version } = request.headers
  if (typeof override === 'string' && override !== '' && request.method !== 'OPTIONS') return override.toUpperCase()
  return request.method === 'HEAD' && version === undefined && handlers.has('GET') ? 'GET' : request.method
}

/** A HEAD of what is not served is one of a client that forgot the version. */
const download: Handler = async (wire, request, reply, id) => {
  try {
    return await get(wire, request, reply, id)
  } catch (error) {
    if (request.method === 'HEAD' && error instanceof errors.NotFinished) checkVersion(request, reply)
    throw error
  }
}

function checkVersion (request: FastifyRequest, reply: FastifyReply): void {
  if (request.headers['tus-resumable'] === TUS_VERSION) return
  reply.header('tus-version', TUS_VERSION)
  throw new errors.Version()
}

/** Puts on the answer what helps the client to go on, and chooses the error that it gets. */
function refuse (method: string, request: FastifyRequest, reply: FastifyReply, error: Error): Error {
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
  return refused
}

/** After a HEAD that fails with 5xx tus-js-client begins a new upload from zero; after 423 it asks again. */
function neverFailHead (request: FastifyRequest, error: Error): Error {
  if ((error as TusError).statusCode < 500) return error
  request.log.error({ err: error }, 'HEAD failed')
  return new errors.Locked({ cause: error })
}

/** Every answer of these routes says the protocol's version, also one that a hook of the app gave. */
function stampAnswers (fastify: FastifyInstance, { scope }: Wire): void {
  const addCors = scope.settings.cors === undefined ? () => {} : corsHeaders(scope.settings.cors)
  fastify.addHook('onSend', (request, reply, payload, done) => {
    reply.header('tus-resumable', TUS_VERSION)
    addCors(request, reply)
    // A connection that is kept would keep the app from closing.
    if (scope.shutdown.aborted && request.raw.httpVersionMajor < 2) reply.header('connection', 'close')
    done(null, endUnread(request, reply, payload))
  })
}
