import type { FastifyReply, FastifyRequest } from 'fastify'
import type { CorsOptions, Settled } from '../options.ts'

/** The methods that tus clients use. */
export const TUS_METHODS = ['POST', 'GET', 'HEAD', 'PATCH', 'DELETE', 'OPTIONS'] as const

/** The request headers that tus clients and players in browsers send: for `allowedHeaders` of `@fastify/cors`. */
export const TUS_REQUEST_HEADERS = [
  'Authorization', 'Content-Type', 'Tus-Resumable', 'Upload-Length', 'Upload-Offset', 'Upload-Metadata',
  'Upload-Defer-Length', 'Upload-Concat', 'Upload-Checksum', 'X-HTTP-Method-Override', 'X-Requested-With',
  'X-Request-ID', 'Range', 'If-Range'
] as const

/** The response headers that tus clients and players in browsers read: for `exposedHeaders` of `@fastify/cors`. */
export const TUS_RESPONSE_HEADERS = [
  'Location', 'Upload-Offset', 'Upload-Length', 'Upload-Defer-Length', 'Upload-Metadata', 'Upload-Concat',
  'Upload-Expires', 'Tus-Resumable', 'Tus-Version', 'Tus-Extension', 'Tus-Max-Size', 'Tus-Checksum-Algorithm',
  'Retry-After', 'Accept-Ranges', 'Content-Disposition', 'Content-Range', 'ETag'
] as const

/** Whether a browser asks what it may ask for (Fetch, 4.8 "CORS-preflight fetch"). */
function isPreflight (request: FastifyRequest): boolean {
  return request.raw.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined
}

/** Makes the function that puts the CORS headers on an answer. */
export function corsHeaders (options: Settled<CorsOptions>): (request: FastifyRequest, reply: FastifyReply) => void {
  const allowHeaders = [...TUS_REQUEST_HEADERS, ...options.allowedHeaders].join(', ')
  const exposeHeaders = [...TUS_RESPONSE_HEADERS, ...options.exposedHeaders].join(', ')
  const allowMethods = TUS_METHODS.join(', ')
  const maxAge = String(options.maxAge)
  const { origin: allowed } = options
  const isAllowed = typeof allowed === 'function'
    ? askApp(allowed)
    : (_request: FastifyRequest, origin: string) => allowed.includes(origin)

  return (request, reply) => {
    // @fastify/cors, or the app itself, was here before.
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

/** An origin is allowed by `true` and nothing else, be it a promise or an error. */
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
