import type { FastifyReply, FastifyRequest } from 'fastify'
import type { CorsOptions, Settled } from '../options.ts'

/** The methods and headers that browsers must be allowed to send and read. */
export interface CorsHeaders {
  methods: readonly string[]
  request: readonly string[]
  response: readonly string[]
}

/** Whether a browser asks for permission (Fetch, 4.8 "CORS-preflight fetch"). */
function isPreflight (request: FastifyRequest): boolean {
  return request.raw.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined
}

/** Returns a function that adds the CORS headers to a response. */
export function corsHeaders (
  options: Settled<CorsOptions>, names: CorsHeaders
): (request: FastifyRequest, reply: FastifyReply) => void {
  const allowHeaders = [...names.request, ...options.allowedHeaders].join(', ')
  const exposeHeaders = [...names.response, ...options.exposedHeaders].join(', ')
  const allowMethods = names.methods.join(', ')
  const maxAge = String(options.maxAge)
  const { origin: allowed } = options
  const isAllowed = typeof allowed === 'function'
    ? askApp(allowed)
    : (_request: FastifyRequest, origin: string) => allowed.includes(origin)

  return (request, reply) => {
    // Set by @fastify/cors or by the app itself.
    if (reply.hasHeader('access-control-allow-origin')) return
    const { origin } = request.headers
    if (allowed === '*') {
      reply.header('access-control-allow-origin', '*')
    } else {
      addVary(reply)
      if (origin === undefined || !isAllowed(request, origin)) return
      reply.header('access-control-allow-origin', origin)
      if (options.credentials) reply.header('access-control-allow-credentials', 'true')
    }
    if (isPreflight(request)) {
      reply.header('access-control-allow-methods', allowMethods)
      reply.header('access-control-allow-headers', allowHeaders)
      reply.header('access-control-max-age', maxAge)
    } else {
      reply.header('access-control-expose-headers', exposeHeaders)
    }
  }
}

/** Only `true` allows an origin; a promise or an error does not. */
function askApp (isAllowed: (origin: string) => boolean): (request: FastifyRequest, origin: string) => boolean {
  return (request, origin) => {
    try {
      return isAllowed(origin) === true
    } catch (err) {
      request.log.error({ err }, 'cors.origin failed')
      return false
    }
  }
}

function addVary (reply: FastifyReply): void {
  const before = reply.getHeader('vary')
  reply.header('vary', before === undefined ? 'Origin' : `${String(before)}, Origin`)
}
