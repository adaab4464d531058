import type { FastifyInstance } from 'fastify'

/**
 * A hook of the app may encode a download despite `no-transform`. Its bytes then differ, and a client that resumed it
 * would mix both: the validators are removed, and with them the ranges (RFC 9110, 8.8.3.3).
 */
export function dropValidatorsIfEncoded (fastify: FastifyInstance): void {
  // Compression plugins add a hook to each route, which runs after the hooks of the scope; this hook runs after theirs.
  fastify.addHook('onRoute', (route) => {
    const methods = [route.method].flat()
    if (!methods.includes('GET') && !methods.includes('HEAD')) return
    route.onSend = [...[route.onSend ?? []].flat(), (_request, reply, _payload, done) => {
      const encoding = reply.getHeader('content-encoding') ?? 'identity'
      if (encoding !== 'identity' && reply.hasHeader('etag')) {
        reply.removeHeader('etag').removeHeader('last-modified').header('accept-ranges', 'none')
      }
      done()
    }]
  })
}
