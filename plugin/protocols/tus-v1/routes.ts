import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchema } from 'fastify'
import { get } from '../../download/get.ts'
import { errors } from '../../errors.ts'
import { isUploadId } from '../../ids.ts'
import { corsHeaders } from '../../http/cors.ts'
import { del } from './delete.ts'
import { head } from './head.ts'
import { OFFSET_OCTET_STREAM, TUS_VERSION } from './headers.ts'
import { endUnread } from '../../http/lingering-close.ts'
import { options as optionsHandler } from './options.ts'
import { patch } from './patch.ts'
import { post } from './post.ts'
import { refuse } from '../../http/error-reply.ts'
import type { Handler, Wire } from './handler.ts'

type Handlers = Map<string, Handler>

/** The longest time that a timer of Node.js can wait, in ms. */
const FOR_EVER = 2 ** 31 - 1

/** Mounts tus 1.0.0: everything below the prefix is answered here, so that every answer is a tus answer. */
export function mountTusV1 (fastify: FastifyInstance, wire: Wire): void {
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
    schema: { hide: wire.scope.settings.schemaHide } as FastifySchema,
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
