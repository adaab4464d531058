import type { FastifyRequest } from 'fastify'
import { callHook } from '../hooks.ts'
import type { Scope } from '../context.ts'

/** Who asks, as far as limits go: what `perClient.key` says. */
export async function clientOf ({ settings }: Scope, request: FastifyRequest): Promise<string> {
  return await callHook(async () => {
    const key: unknown = await settings.perClient.key(request)
    if (typeof key === 'string') return key
    throw new TypeError(`perClient.key returned ${String(key)}, which is not a string`)
  })
}
