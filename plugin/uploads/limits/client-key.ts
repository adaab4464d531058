import type { FastifyRequest } from 'fastify'
import type { Settings } from '../../settings.ts'
import { callHook } from '../hooks.ts'

/** Identifies the client of a request, as `perClient.key` does. */
export async function clientKeyOf ({ perClient }: Settings, request: FastifyRequest): Promise<string> {
  return await callHook(async () => {
    const key: unknown = await perClient.key(request)
    if (typeof key === 'string') return key
    throw new TypeError(`perClient.key returned ${String(key)}, not a string`)
  })
}
