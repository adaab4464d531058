import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { FastifyInstance, FastifyRequest } from 'fastify'

const kPrefixes = Symbol('fastify-tus.continue-prefixes')
const kContinue = Symbol('fastify-tus.continue')

type WaitingRequest = IncomingMessage & { [kContinue]?: () => void }
type ListeningServer = Server & { [kPrefixes]?: string[] }

/**
 * Leaves `100 Continue` (RFC 9110, 10.1.1) for requests below the prefix to the plugin, so that a request is refused
 * before its body is sent. All others get it immediately, as is the default of Node.js. If the app listens to
 * `checkContinue`, the app decides.
 *
 * When the event is emitted, only the path is known, not the route. So a plugin whose prefix has parameters leaves
 * `Expect` to Node.js.
 */
export function answerExpectContinue ({ server, prefix }: FastifyInstance): void {
  if (!/^\/[^:*()]+$/.test(prefix)) return
  const listening = server as ListeningServer
  if (listening[kPrefixes] !== undefined) {
    listening[kPrefixes].push(prefix)
    return
  }
  if (server.listenerCount('checkContinue') > 0) return
  const prefixes = listening[kPrefixes] = [prefix]
  server.on('checkContinue', (request: WaitingRequest, response: ServerResponse) => {
    if (prefixes.some((prefix) => isBelow(prefix, request.url))) request[kContinue] = () => response.writeContinue()
    else response.writeContinue()
    server.emit('request', request, response)
  })
}

function isBelow (prefix: string, url = ''): boolean {
  return url.startsWith(prefix) && ['', '/', '?'].includes(url.charAt(prefix.length))
}

/** Sends `100 Continue` to a client that waits before it sends its body. */
export function sendContinue ({ raw }: FastifyRequest): void {
  (raw as WaitingRequest)[kContinue]?.()
}
