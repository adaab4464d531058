import type { FastifyRequest } from 'fastify'
import ipaddr from 'ipaddr.js'

/** How much of an IPv6 address identifies a client, in 16-bit parts: a subscriber gets a /64 at least (RFC 6177). */
const IPV6_PARTS = 4

/**
 * The default of `perClient.key`: an IPv4 address, written as IPv6 or not, or the first 64 bits of an IPv6 address. A
 * request without an address, as over a Unix socket, has an empty key: all of these are one client.
 */
export function clientAddress ({ ip }: Pick<FastifyRequest, 'ip'>): string {
  const given = ip as string | undefined ?? ''
  // A trusted proxy may forward anything.
  if (!ipaddr.isValid(given)) return given
  const address = ipaddr.process(given)
  if (!('parts' in address)) return address.toString()
  const network = address.parts.slice(0, IPV6_PARTS).map((part) => part.toString(16))
  return `${network.join(':')}::/64`
}
