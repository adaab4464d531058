import type { FastifyRequest } from 'fastify'
import { errors } from '../../errors.ts'
import type { Settings } from '../../settings.ts'
import { clientKeyOf } from './client-key.ts'

/** Limits the concurrent bodies of each client to `perClient.maxBodies`. */
export class BodyQuota {
  readonly #settings: Settings
  readonly #clients = new Map<string, { open: number }>()

  constructor (settings: Settings) {
    this.#settings = settings
  }

  /**
   * Does something with a body while it counts as open.
   * @throws FST_TUS_TOO_MANY_BODIES
   */
  async run<T> (request: FastifyRequest, work: () => Promise<T>): Promise<T> {
    const { maxBodies } = this.#settings.perClient
    if (maxBodies === Infinity) return work()
    const key = await clientKeyOf(this.#settings, request)
    const client = this.#clients.get(key) ?? { open: 0 }
    if (client.open >= maxBodies) throw new errors.TooManyBodies()
    this.#clients.set(key, client)
    client.open++
    try {
      return await work()
    } finally {
      client.open--
      if (client.open === 0) this.#clients.delete(key)
    }
  }
}
