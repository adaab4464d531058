import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchema, RouteOptions } from 'fastify'
import { download, operation as downloadOperation } from '../download/get.ts'
import { dropValidatorsIfEncoded } from '../download/encoded.ts'
import { errors } from '../errors.ts'
import { corsHeaders } from '../http/cors.ts'
import { closeLingering } from '../http/lingering-close.ts'
import { checkPrefix } from '../http/location.ts'
import { isUploadId } from '../ids.ts'
import type { Upload } from '../types.ts'
import type { Context } from '../uploads/context.ts'
import { TUS_METHODS, TUS_REQUEST_HEADERS, TUS_RESPONSE_HEADERS } from './cors-headers.ts'
import type { Operation, Protocol, UrlKind } from './protocol.ts'

/** The longest delay of a timer of Node.js, in ms. */
const FOREVER = 2 ** 31 - 1

/** The name of a method (RFC 9110, 5.6.2 and 9.1). */
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/

const discovery: Operation = {
  method: 'OPTIONS',
  schema: { summary: 'Describes the protocols and limits of this server', tags: ['uploads'] }
}

const idParameter: FastifySchema = {
  params: { type: 'object', properties: { uploadId: { type: 'string', description: 'The id of the upload' } } }
}

/**
 * Mounts the protocols and the download. Everything below the prefix is handled here, so that each response follows the
 * protocol of its client.
 * @param protocols - the first one handles requests that no protocol claims
 */
export function mountUploads (fastify: FastifyInstance, context: Context, protocols: [Protocol, ...Protocol[]]): void {
  new Dispatcher(context, protocols).mount(fastify)
}

class Dispatcher {
  readonly #context: Context
  readonly #protocols: [Protocol, ...Protocol[]]
  readonly #canDownload: boolean
  /** The protocols that name themselves in the records of their uploads. */
  readonly #named: Protocol[]
  /** The protocols of requests without headers of any: those that created the uploads. */
  readonly #owners = new WeakMap<FastifyRequest, Protocol>()
  readonly #operations: Record<UrlKind, Operation[]>
  /** The methods of each protocol, with those that belong to no protocol. */
  readonly #methods: ReadonlyMap<Protocol, Record<UrlKind, ReadonlySet<string>>>

  constructor (context: Context, protocols: [Protocol, ...Protocol[]]) {
    this.#context = context
    this.#protocols = protocols
    this.#named = protocols.filter(({ name }) => name !== undefined)
    this.#canDownload = context.settings.download !== undefined && context.store.capabilities.has('read')
    const operationsOf = (some: Protocol[]): Record<UrlKind, Operation[]> => ({
      creation: [discovery, ...some.flatMap(({ operations }) => operations.creation)],
      upload: [
        discovery, ...some.flatMap(({ operations }) => operations.upload),
        ...this.#canDownload ? [downloadOperation] : []
      ]
    })
    this.#operations = operationsOf(protocols)
    this.#methods = new Map(protocols.map((protocol) => {
      const { creation, upload } = operationsOf([protocol])
      return [protocol, { creation: methodsOf(creation), upload: methodsOf(upload) }]
    }))
  }

  mount (fastify: FastifyInstance): void {
    this.#takeRawBodies(fastify)
    this.#completeResponses(fastify)
    if (this.#canDownload) dropValidatorsIfEncoded(fastify)
    this.#route(fastify, '/', 'creation', this.#operations.creation)
    this.#route(fastify, '/:uploadId', 'upload', this.#operations.upload)
    // Ids that are too long for a parameter of Fastify, or contain a slash.
    this.#route(fastify, '/*', 'upload', [])
  }

  /** Bodies are streams, whatever their type says: the protocols decide. */
  #takeRawBodies (fastify: FastifyInstance): void {
    fastify.removeAllContentTypeParsers()
    // Fastify finds the parser of an explicit type faster.
    const types = [...this.#protocols.map(({ mediaType }) => mediaType), '*']
    fastify.addContentTypeParser(types, (_request, payload, done) => {
      // The stream may fail before it is read, or without being read.
      payload.on('error', () => {})
      done(null, payload)
    })
  }

  /** Applies to responses of the app's hooks too. */
  #completeResponses (fastify: FastifyInstance): void {
    const { settings, shutdown } = this.#context
    const names = { methods: TUS_METHODS, request: TUS_REQUEST_HEADERS, response: TUS_RESPONSE_HEADERS }
    const addCors = settings.cors === undefined ? () => {} : corsHeaders(settings.cors, names)
    fastify.addHook('onSend', (request, reply, payload, done) => {
      const claimed = this.#claimedBy(request)
      const isBare = claimed === undefined && (request.method === 'GET' || request.method === 'HEAD')
      if (!isBare) (claimed ?? this.#protocols[0]).stamp(reply)
      addCors(request, reply)
      // A connection that stays open would keep the app from closing.
      if (shutdown.aborted && request.raw.httpVersionMajor < 2) reply.header('connection', 'close')
      done(null, closeLingering(request, reply, payload))
    })
  }

  /** Routes the operations, and all other methods to a 405 that `@fastify/swagger` does not list. */
  #route (fastify: FastifyInstance, url: string, kind: UrlKind, operations: Operation[]): void {
    const { settings } = this.#context
    const { handlerTimeout } = fastify.initialConfig as { handlerTimeout?: number }
    // `compress` is an option of `@fastify/compress`, which ignores `no-transform`.
    const route: Omit<RouteOptions, 'method'> & { compress: boolean } = {
      url,
      handler: (request, reply) => this.#answer(kind, request, reply),
      exposeHeadRoute: false,
      // The protocols parse their own headers: the schemas only describe them.
      validatorCompiler: () => () => true,
      // A timeout for all routes of the app must not end bodies that take hours; `idleTimeout` does.
      ...handlerTimeout ? { handlerTimeout: FOREVER } : {},
      compress: false
    }
    const schemas = new Map(operations.map(({ method, schema }) => [method, schema]))
    for (const [method, schema] of schemas) {
      const params = kind === 'upload' ? idParameter : {}
      // Otherwise `@fastify/swagger` leaves out HEAD, as the twin of GET.
      const config = { swagger: { exposeHeadRoute: true } }
      const described = { ...params, ...schema, hide: settings.schemaHide }
      // As a list: Fastify mounts a single HEAD only below the prefix, with a slash.
      fastify.route({ ...route, method: [method], config, schema: described as FastifySchema })
    }
    const others = fastify.supportedMethods.filter((method) => !schemas.has(method))
    fastify.route({ ...route, method: others, schema: { hide: true } as FastifySchema })
  }

  async #answer (kind: UrlKind, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { uploadId, '*': rest = '' } = request.params as { uploadId?: string, '*'?: string }
    const id = uploadId ?? rest
    const created = kind === 'upload' ? await this.#createdByName(request, id) : undefined
    const claimed = this.#claimedBy(request)
    const protocol = claimed ?? this.#protocols[0]
    const method = protocol.methodOf(request)
    try {
      checkPrefix(request)
      this.#checkMethod(protocol, kind, method, reply)
      reply.header('cache-control', 'no-store')
      if (method === 'OPTIONS') return this.#describe(reply)
      // Without the headers of a protocol, HEAD returns the headers of the download.
      const isHeadOfDownload = method === 'HEAD' && this.#canDownload && kind === 'upload' &&
        (claimed === undefined || this.#owners.has(request))
      if (created !== undefined && (method === 'GET' || isHeadOfDownload)) {
        return await this.#downloadOrState(protocol, created, request, reply)
      }
      if (method === 'GET' && kind === 'upload') {
        // A HEAD that was forwarded as GET must not get a body that stays open.
        return await download(this.#context, request, reply, id, { mayGrow: !protocol.mayBeHead(request) })
      }
      if (isHeadOfDownload) return await this.#downloadHead(request, reply, id)
      return await protocol.handle(request, reply, id)
    } catch (error) {
      throw protocol.refuse(request, reply, error)
    }
  }

  #claimedBy (request: FastifyRequest): Protocol | undefined {
    return this.#owners.get(request) ?? this.#protocols.find((protocol) => protocol.claims(request))
  }

  /**
   * The upload of a request, if a protocol that names itself created it and no other protocol claims the request. Such
   * a protocol may have no header that distinguishes its HEAD and DELETE from those of a download or of tus.
   */
  async #createdByName (request: FastifyRequest, id: string): Promise<Upload | undefined> {
    const { method } = request
    const claimed = this.#claimedBy(request)
    const mayBe = claimed === undefined ? ['GET', 'HEAD', 'DELETE'].includes(method) : this.#named.includes(claimed)
    if (this.#named.length === 0 || !mayBe || !isUploadId(id)) return undefined
    const upload = await this.#context.store.getUpload(id).catch(() => undefined)
    const owner = this.#named.find(({ name }) => name === upload?.protocol)
    if (owner !== undefined && claimed === undefined) this.#owners.set(request, owner)
    return owner === undefined ? undefined : upload
  }

  /** The download of an upload with the state of the upload, or the state alone if there is nothing to download. */
  async #downloadOrState (
    protocol: Protocol, upload: Upload, request: FastifyRequest, reply: FastifyReply
  ): Promise<FastifyReply> {
    try {
      protocol.describeUpload?.(request, reply, upload)
      return await download(this.#context, request, reply, upload.id, { mayGrow: !protocol.mayBeHead(request) })
    } catch (error) {
      if (error instanceof errors.NotFinished) return await protocol.handle(request, reply, upload.id)
      throw error
    }
  }

  #checkMethod (protocol: Protocol, kind: UrlKind, method: string, reply: FastifyReply): void {
    const { [kind]: methods } = this.#methods.get(protocol) as Record<UrlKind, ReadonlySet<string>>
    const { request } = reply
    // A DELETE that is overridden with OPTIONS would get 204, and delete nothing.
    const isDiscovery = method === 'OPTIONS' && request.method !== 'OPTIONS'
    if (methods.has(method) && !isDiscovery) return
    const allowed = [...methods].join(', ')
    reply.header('allow', allowed)
    if (isDiscovery) throw new errors.MethodNotAllowed(method, `it does not override ${request.method}`)
    // After setting up the plugin, many users first open this URL in a browser.
    const hint = kind === 'creation' && methods.has('POST')
      ? 'this URL creates resumable uploads, send a POST with a tus client (https://tus.io)'
      : `this URL supports ${allowed}`
    throw new errors.MethodNotAllowed(nameOf(method), hint)
  }

  #describe (reply: FastifyReply): FastifyReply {
    for (const protocol of this.#protocols) protocol.describe(reply)
    return reply.code(204).send()
  }

  async #downloadHead (request: FastifyRequest, reply: FastifyReply, id: string): Promise<FastifyReply> {
    try {
      return await download(this.#context, request, reply, id, { mayGrow: false })
    } catch (error) {
      // An upload client may have omitted its headers: the error of its protocol is clearer.
      if (error instanceof errors.NotFinished) return await this.#protocols[0].handle(request, reply, id)
      throw error
    }
  }
}

/** A method for the text of an error: it may come from a header with any characters and of any length. */
function nameOf (method: string): string {
  return TOKEN.test(method) ? method.slice(0, 20) : 'with an invalid name'
}

function methodsOf (operations: Operation[]): ReadonlySet<string> {
  return new Set(operations.map(({ method }) => method))
}
