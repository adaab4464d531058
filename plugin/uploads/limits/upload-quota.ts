import type { FastifyRequest } from 'fastify'
import { errors } from '../../errors.ts'
import type { Settings } from '../../settings.ts'
import type { EventPublisher } from '../events/events.ts'
import { clientKeyOf } from './client-key.ts'

interface Counted {
  /** `undefined` if unknown, as for uploads from before a restart. */
  client: string | undefined
  /** When the upload stops counting, in ms since the epoch. */
  expiresAt: number
}

/** Limits the unfinished uploads that this process knows, in total (`maxUploads`) and per client. */
export class UploadQuota {
  readonly #settings: Settings
  readonly #uploads = new Map<string, Counted>()
  readonly #perClient = new Map<string, number>()
  readonly #isLimited: boolean
  readonly #period: number

  constructor (settings: Settings, events: EventPublisher) {
    const { maxUploads, perClient, expiration } = settings
    this.#settings = settings
    this.#period = expiration?.period ?? Infinity
    this.#isLimited = maxUploads !== Infinity || perClient.maxUploads !== Infinity
    if (!this.#isLimited) return
    events.on('found', ({ upload: { id } }) => { if (!this.#uploads.has(id)) this.#add(id, undefined) })
    events.on('stored', ({ upload }) => this.#touch(upload.id))
    for (const name of ['completed', 'terminated', 'expired', 'discarded'] as const) {
      events.on(name, ({ upload }) => this.#delete(upload.id))
    }
  }

  /**
   * Creates an upload if the limits allow one more.
   * @param remains - whether the upload remains after an error, for the client to resume it
   * @throws FST_TUS_TOO_MANY_UPLOADS, FST_TUS_CLIENT_UPLOADS
   */
  async admit<T> (
    request: FastifyRequest, id: string, create: () => Promise<T>, remains: (error: unknown) => boolean
  ): Promise<T> {
    if (!this.#isLimited) return await create()
    const isLimitedPerClient = this.#settings.perClient.maxUploads !== Infinity
    const client = isLimitedPerClient ? await clientKeyOf(this.#settings, request) : undefined
    const isNew = this.#count(id, client)
    try {
      const created = await create()
      // Another process has deleted the upload that had this id.
      if (!isNew && this.#uploads.has(id)) this.#replace(id, client)
      return created
    } catch (error) {
      if (isNew && !remains(error)) this.#delete(id)
      throw error
    }
  }

  /** @returns whether the id was not counted before */
  #count (id: string, client: string | undefined): boolean {
    const { maxUploads, perClient } = this.#settings
    if (this.#uploads.has(id)) return false
    const isFull = () => this.#uploads.size >= maxUploads
    const isFullForClient = () => this.#countOf(client) >= perClient.maxUploads
    if (isFull() || isFullForClient()) this.#deleteExpired()
    if (isFull()) throw new errors.TooManyUploads()
    if (isFullForClient()) throw new errors.ClientUploads(perClient.maxUploads)
    this.#add(id, client)
    return true
  }

  /** The expiration of an upload starts again with each byte. */
  #touch (id: string): void {
    const counted = this.#uploads.get(id)
    if (counted !== undefined) this.#replace(id, counted.client)
  }

  #replace (id: string, client: string | undefined): void {
    this.#delete(id)
    this.#add(id, client)
  }

  #delete (id: string): void {
    const counted = this.#uploads.get(id)
    if (counted === undefined) return
    this.#uploads.delete(id)
    const { client } = counted
    if (client === undefined) return
    const left = this.#countOf(client) - 1
    if (left === 0) this.#perClient.delete(client)
    else this.#perClient.set(client, left)
  }

  #add (id: string, client: string | undefined): void {
    this.#uploads.set(id, { client, expiresAt: Date.now() + this.#period })
    if (client !== undefined) this.#perClient.set(client, this.#countOf(client) + 1)
  }

  #countOf (client: string | undefined): number {
    return client === undefined ? 0 : this.#perClient.get(client) ?? 0
  }

  /** The oldest come first: an upload that gets bytes moves to the end. */
  #deleteExpired (): void {
    const now = Date.now()
    for (const [id, { expiresAt }] of this.#uploads) {
      if (expiresAt >= now) return
      this.#delete(id)
    }
  }
}
