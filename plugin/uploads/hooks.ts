import type { FastifyRequest } from 'fastify'
import { errors } from '../errors.ts'
import type { Intent } from '../types.ts'
import type { Scope } from './context.ts'
import { findUpload } from './find.ts'

/** Calls a hook of the app's. Only an error with a status may be told to the client. */
export async function callHook<T> (hook: () => T | Promise<T>): Promise<T> {
  try {
    return await hook()
  } catch (error) {
    const { statusCode } = Object(error) as { statusCode?: unknown }
    if (typeof statusCode === 'number' && statusCode >= 400 && statusCode <= 599) throw error
    throw new errors.HookFailed({ cause: error })
  }
}

/** Asks the app whether this may happen. */
export async function authorize (scope: Scope, request: FastifyRequest, intent: Intent): Promise<void> {
  const allowed = await callHook(() => scope.settings.authorize?.(request, intent))
  if (allowed === false) throw new errors.Forbidden()
}

/**
 * Asks the app whether this may happen to an upload that exists. It is asked before the lock, so that a request that is
 * refused disturbs nobody.
 */
export async function authorizeExisting (
  scope: Scope, request: FastifyRequest, action: Intent['action'], id: string
): Promise<void> {
  if (scope.settings.authorize === undefined) return
  await authorize(scope, request, { action, upload: await findUpload(scope, id) })
}
