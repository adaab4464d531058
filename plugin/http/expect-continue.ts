import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { FastifyInstance, FastifyRequest } from 'fastify'

const kPrefixes = Symbol('fastify-tus.continue-prefixes')
const kAskContinue = Symbol('fastify-tus.ask-continue')

type Asking = IncomingMessage & { [kAskContinue]?: () => void }
type Listening = Server & { [kPrefixes]?: string[] }

/**
 * Leaves `100 Continue` (RFC 9110, 10.1.1) for requests below `prefix` to the plugin, so that what is refused is
 * refused before its body is sent. For all others it is sent at once, as Node.js does by itself. Where the app listens
 * to `checkContinue` already, the app decides.
 *
 * Which route a request belongs to is not known yet when the question comes, only its path. So a plugin whose prefix is
 * no plain path leaves the matter to Node.js.
 */
export function answerExpectContinue ({ server, prefix }: FastifyInstance): void {
  if (!/^\/[^:*()]+$/.test(prefix)) return
  const listening = server as Listening
  if (listening[kPrefixes] !== undefined) {
    listening[kPrefixes].push(prefix)
    return
  }
  if (server.listenerCount('checkContinue') > 0) return
  const prefixes = listening[kPrefixes] = [prefix]
  server.on('checkContinue', (request: Asking, response: ServerResponse) => {
    if (prefixes.some((ours) => isBelow(ours, request.url))) request[kAskContinue] = () => response.writeContinue()
    else response.writeContinue()
    server.emit('request', request, response)
  })
}

function isBelow (prefix: string, url = ''): boolean {
  return url.startsWith(prefix) && ['', '/', '?'].includes(url.charAt(prefix.length))
}

/** Tells a client that waits for it that its body is wanted. */
export function wantContinue ({ raw }: FastifyRequest): void {
  (raw as Asking)[kAskContinue]?.()
}
