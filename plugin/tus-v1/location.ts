import type { FastifyRequest } from 'fastify'
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

/** A prefix may have parameters, as every route in Fastify: `/users/:user/files`. */
function fillIn (prefix: string, request: FastifyRequest): string {
  const params = request.params as Record<string, string>
  return prefix.replace(/\/$/, '').replace(/:(\w+)/g, (_all, name: string) => encodeURIComponent(params[name] ?? ''))
}
