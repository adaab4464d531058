import type { FastifyRequest } from 'fastify'
import { errors } from '../errors.ts'
import type { Settings } from '../settings.ts'
import type { Intent } from '../types.ts'

/** Calls a hook of the app. Clients may see only an error with a status. */
export async function callHook<T> (hook: () => T | Promise<T>): Promise<T> {
  try {
    return await hook()
  } catch (error) {
    const { statusCode } = Object(error) as { statusCode?: unknown }
    if (typeof statusCode === 'number' && statusCode >= 400 && statusCode <= 599) throw error
    throw new errors.HookFailed({ cause: error })
  }
}

/**
 * Asks the app whether the request may do this.
 * @throws FST_TUS_FORBIDDEN, or the error of the hook
 */
export async function authorize (settings: Settings, request: FastifyRequest, intent: Intent): Promise<void> {
  const isAllowed = await callHook(() => settings.authorize?.(request, intent))
  if (isAllowed === false) throw new errors.Forbidden()
}
