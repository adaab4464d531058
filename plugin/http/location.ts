import type { FastifyRequest } from 'fastify'
import { errors } from '../errors.ts'
import { isUploadId } from '../ids.ts'
import type { Settings } from '../settings.ts'

/**
 * The URL of an upload. By default a path, which every client resolves against the URL that it requested, so that no
 * header of the request influences it.
 * @param prefix - the path of the plugin
 */
export function locationOf (settings: Settings, request: FastifyRequest, prefix: string, id: string): string {
  if (settings.publicUrl !== undefined) return `${settings.publicUrl}/${id}`
  const path = `${fillIn(prefix, request)}/${id}`
  // A request of HTTP/1.0 may name no host.
  const isRelative = settings.relativeLocation || request.host === ''
  return isRelative ? path : `${request.protocol}://${request.host}${path}`
}

/**
 * The upload ids in URLs: the reverse of `locationOf`. Only the path counts. A client resolves `Location` against the
 * URL that it requested, and many proxies send another host or port here, so neither identifies the upload.
 * @param urls - absolute, or relative to the creation URL (RFC 3986, 5)
 * @returns `undefined` for a URL that names no upload here
 */
export function uploadIdsOf (
  settings: Settings, request: FastifyRequest, prefix: string, urls: string[]
): Array<string | undefined> {
  // A request may name a thousand URLs: work that is the same for all is done once.
  const bases = [settings.publicUrl, fillIn(prefix, request)].filter((base) => base !== undefined).map((base) => {
    const { href, pathname } = new URL(base, 'http://localhost')
    return { href, segments: segmentsOf(pathname.replace(/\/$/, '')) }
  })
  return urls.map((url) => bases.map(({ href, segments }) => idIn(url, href, segments)).find((id) => id !== undefined))
}

/** The last segment of the path of a URL, if the others are those of the prefix and it is the id of an upload. */
function idIn (url: string, creation: string, prefix: string[]): string | undefined {
  if (!URL.canParse(url, creation)) return undefined
  const { protocol, pathname, search, hash } = new URL(url, creation)
  // A proxy that terminates TLS turns https into http.
  if (!/^https?:$/.test(protocol) || search !== '' || hash !== '') return undefined
  const segments = segmentsOf(pathname)
  const id = segments.pop() as string
  const isHere = segments.length === prefix.length && segments.every((segment, i) => segment === prefix[i])
  return isHere && isUploadId(id) ? id : undefined
}

/** Clients and proxies may escape characters that need no escape (RFC 3986, 6.2.2). */
function segmentsOf (pathname: string): string[] {
  return pathname.split('/').map((segment) => {
    try {
      return decodeURIComponent(segment)
    } catch {
      return segment
    }
  })
}

/** A parameter of a route in Fastify, with its optional pattern: `:user`, `:user(^\\d+$)`. */
const parameter = /:(\w+)(?:\((?:[^()]|\([^()]*\))*\))?/g

/** Names of the routes, not of the prefix. */
const routeParameters: ReadonlySet<string> = new Set(['uploadId', '*'])

/**
 * Refuses values of parameters of the prefix with which `Location` would name another place: an empty first segment
 * makes it a host, and clients resolve dot segments (RFC 3986, 4.2 and 5.2.4).
 * @throws FST_TUS_NOT_FOUND
 */
export function checkPrefix ({ params }: FastifyRequest): void {
  for (const [name, value] of Object.entries(params as Record<string, string>)) {
    if (!routeParameters.has(name) && /^\.{0,2}$/.test(value)) throw new errors.NotFound()
  }
}

/** A prefix may have parameters: `/users/:user/files`. */
function fillIn (prefix: string, request: FastifyRequest): string {
  const params = request.params as Record<string, string>
  return prefix.replace(/\/$/, '').replace(parameter, (_all, name: string) => encodeURIComponent(params[name] as string))
}
