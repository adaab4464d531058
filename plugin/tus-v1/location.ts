import type { FastifyRequest } from 'fastify'
import { errors } from '../errors.ts'
import { isUploadId } from '../ids.ts'
import type { Settings } from '../settings.ts'

/**
 * The URL of an upload. A path by default, which every client resolves against the URL that it asked, so that no header
 * of the request has a say in it.
 * @param prefix - under which the plugin is mounted
 */
export function locationOf (settings: Settings, request: FastifyRequest, prefix: string, id: string): string {
  if (settings.publicUrl !== undefined) return `${settings.publicUrl}/${id}`
  const path = `${fillIn(prefix, request)}/${id}`
  return settings.relativeLocation ? path : `${request.protocol}://${request.host}${path}`
}

/**
 * The id in the URL of an upload: the other direction of `locationOf`.
 * @param url - absolute, or relative to the URL of the request
 * @throws FST_TUS_INVALID_HEADER where it is not the URL of an upload here
 */
export function idOf (settings: Settings, request: FastifyRequest, prefix: string, url: string): string {
  // HTTP/1.0 names no host; its client can have no absolute URL then.
  const here = URL.canParse(`http://${request.host}`) ? `http://${request.host}` : 'http://localhost'
  const bases = [settings.publicUrl, fillIn(prefix, request)]
    .flatMap((base) => base === undefined ? [] : new URL(`${base}/`, here).href)
  const absolute = URL.canParse(url, bases.at(-1)) ? withoutScheme(new URL(url, bases.at(-1)).href) : ''
  for (const base of bases) {
    const id = absolute.startsWith(withoutScheme(base)) ? absolute.slice(withoutScheme(base).length) : ''
    if (isUploadId(id)) return id
  }
  throw new errors.InvalidHeader('Upload-Concat', 'names a URL that is not one of an upload here')
}

/** A proxy that ends TLS makes http of https. */
function withoutScheme (url: string): string {
  return url.replace(/^https?:/, '')
}

/** A parameter of a route in Fastify, with the pattern that it may have: `:user`, `:user(^\\d+$)`. */
const parameter = /:(\w+)(?:\((?:[^()]|\([^()]*\))*\))?/g

/** A prefix may have parameters: `/users/:user/files`. */
function fillIn (prefix: string, request: FastifyRequest): string {
  const params = request.params as Record<string, string>
  return prefix.replace(/\/$/, '').replace(parameter, (_all, name: string) => encodeURIComponent(params[name] as string))
}
