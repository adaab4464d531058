import { type AddressInfo, isIPv4 } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Config } from './config.ts'

/**
 * Responds with 421 unless `Host` is a name of this server. A web site can make its own name resolve to 127.0.0.1 (DNS
 * rebinding): its pages would then have the same origin as a server that listens there, and could read and delete
 * uploads.
 *
 * Without a list, a server on a loopback address accepts the names of this machine, and any other server accepts all.
 */
export function checkHost (
  server: FastifyInstance, { host, allowedHosts }: Pick<Config, 'host' | 'allowedHosts'>
): void {
  if (allowedHosts.includes('*')) return
  const names = new Set([host, ...allowedHosts].map((name) => name.toLowerCase()))
  let isChecked = true
  server.addHook('onListen', async () => {
    const addresses = server.addresses() as AddressInfo[]
    isChecked = allowedHosts.length > 0 || addresses.every(({ address }) => isLoopback(address))
  })
  server.addHook('onRequest', async (request, reply) => {
    // Not `request.hostname`: X-Forwarded-Host is a header that a page may set.
    const name = nameOf(request.headers.host)
    if (!isChecked || names.has(name) || isLoopback(name)) return
    return reply.code(421).send({
      statusCode: 421,
      error: 'Misdirected Request',
      message: 'Host must be localhost, a loopback address, or one of ALLOWED_HOSTS (--allowed-hosts)'
    })
  })
}

/** The name or address of a `Host` header, in lower case and without brackets; empty for anything else. */
function nameOf (host = ''): string {
  const [, address, name = ''] = /^(?:\[([^[\]]*)\]|([^:[\]]*))(?::\d*)?$/.exec(host.toLowerCase()) ?? []
  return address ?? name
}

function isLoopback (name: string): boolean {
  return name === 'localhost' || name === '::1' || (isIPv4(name) && name.startsWith('127.'))
}
