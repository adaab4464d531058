import type { FastifyRequest } from 'fastify'
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
  // HTTP/1.0 names no host.
  const isRelative = settings.relativeLocation || request.host === ''
  return isRelative ? path : `${request.protocol}://${request.host}${path}`
}

/**
 * The upload ids in URLs: the reverse of `locationOf`. A request may name a thousand of them, so what is the same for
 * all is done once.
 * @param urls - absolute, or relative to the creation URL (RFC 3986, 5)
 * @returns `undefined` for a URL that is not that of an upload here
 */
export function uploadIdsOf (
  settings: Settings, request: FastifyRequest, prefix: string, urls: string[]
): Array<string | undefined> {
  // A client that names no host cannot have absolute URLs either.
  const here = URL.canParse(`http://${request.host}`) ? `http://${request.host}` : 'http://localhost'
  const bases = [settings.publicUrl, fillIn(prefix, request)].filter((base) => base !== undefined).map((base) => {
    const creation = new URL(base, here).href
    return { creation, uploads: withoutScheme(`${creation.replace(/\/$/, '')}/`) }
  })
  return urls.map((url) => {
    for (const { creation, uploads } of bases) {
      const absolute = URL.canParse(url, creation) ? withoutScheme(new URL(url, creation).href) : ''
      const id = absolute.startsWith(uploads) ? absolute.slice(uploads.length) : ''
      if (isUploadId(id)) return id
    }
    return undefined
  })
}

/** A proxy that terminates TLS turns https into http. */
function withoutScheme (url: string): string {
  return url.replace(/^https?:/, '')
}

/** A parameter of a route in Fastify, with its optional pattern: `:user`, `:user(^\\d+$)`. */
const parameter = /:(\w+)(?:\((?:[^()]|\([^()]*\))*\))?/g

/** A prefix may have parameters: `/users/:user/files`. */
function fillIn (prefix: string, request: FastifyRequest): string {
  const params = request.params as Record<string, string>
  return prefix.replace(/\/$/, '').replace(parameter, (_all, name: string) => encodeURIComponent(params[name] as string))
}
