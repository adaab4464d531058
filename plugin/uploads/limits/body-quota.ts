import { randomBytes } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { errors } from '../../errors.ts'
import type { Settings } from '../../settings.ts'
import type { Counter } from '../../types.ts'
import { clientKeyOf } from './client-key.ts'
import { count } from './counted.ts'

/** How long the bodies of a process that has ended still count, in ms. */
const TTL_MS = 60_000

/** Limits the concurrent bodies of each client to `perClient.maxBodies`. */
export class BodyQuota {
  readonly #settings: Settings
  readonly #counter: Counter
  readonly #scope: string
  /** The group of each body under way. */
  readonly #open = new Map<string, string>()
  #timer: NodeJS.Timeout | undefined

  /** @param scope - keeps the groups of several registrations apart */
  constructor (settings: Settings, counter: Counter, scope: string) {
    this.#settings = settings
    this.#counter = counter
    this.#scope = scope
  }

  /**
   * Does something with a body while it counts as open.
   * @throws FST_TUS_TOO_MANY_BODIES, FST_TUS_LOCKER_FAILED
   */
  async run<T> (request: FastifyRequest, work: () => Promise<T>): Promise<T> {
    const { maxBodies } = this.#settings.perClient
    if (maxBodies === Infinity) return await work()
    const name = `${this.#scope} bodies of ${await clientKeyOf(this.#settings, request)}`
    const entry = randomBytes(9).toString('base64url')
    const full = await count(this.#counter, entry, [{ name, max: maxBodies }], TTL_MS, async () => false)
    if (full !== undefined) throw new errors.TooManyBodies()
    this.#open.set(entry, name)
    this.#timer ??= setInterval(() => this.#extend(), TTL_MS / 3).unref()
    try {
      return await work()
    } finally {
      this.#end(entry)
    }
  }

  /** If that fails, they may no longer count. */
  #extend (): void {
    for (const [entry, name] of this.#open) {
      this.#counter.add(entry, [{ name, max: Infinity }], TTL_MS).catch(() => {})
    }
  }

  /** If that fails, the body counts for a minute. */
  #end (entry: string): void {
    this.#counter.remove(entry).catch(() => {})
    this.#open.delete(entry)
    if (this.#open.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
