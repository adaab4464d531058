import type { FastifyRequest } from 'fastify'
import { errors } from '../../errors.ts'
import { clientOf } from './client-key.ts'
import type { Scope } from '../context.ts'

/**
 * Does something with a body while it counts as an open one of its client.
 * @throws FST_TUS_TOO_MANY_BODIES where the client sends as many as it may
 */
export async function asOpenBody<T> (scope: Scope, request: FastifyRequest, work: () => Promise<T>): Promise<T> {
  const { settings: { perClient }, openBodies } = scope
  if (perClient.maxBodies === Infinity) return await work()
  const client = await clientOf(scope, request)
  const open = openBodies.get(client) ?? 0
  if (open >= perClient.maxBodies) throw new errors.TooManyBodies()
  openBodies.set(client, open + 1)
  try {
    return await work()
  } finally {
    const left = openBodies.get(client) as number - 1
    if (left === 0) openBodies.delete(client)
    else openBodies.set(client, left)
  }
}
