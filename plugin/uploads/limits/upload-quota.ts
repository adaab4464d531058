import type { FastifyRequest } from 'fastify'
import { errors } from '../../errors.ts'
import type { Settings } from '../../settings.ts'
import type { EventPublisher } from '../events/events.ts'
import { clientKeyOf } from './client-key.ts'

/** How often at most the store is asked whether an upload still counts, in ms. */
const MAX_CHECK_INTERVAL = 3_600_000

interface Counted {
  id: string
  /** `undefined` if unknown, as for uploads from before a restart. */
  client: string | undefined
  /** When to ask the store whether the upload still counts, in ms since the epoch. */
  checkAt: number
}

/**
 * Limits the unfinished uploads that this process knows, in total (`maxUploads`) and per client. An upload counts until
 * an event says that it is complete or deleted. Another process or the app may have deleted it, and nothing may sweep
 * it after its expiration: so a full quota asks the store.
 */
export class UploadQuota {
  readonly #settings: Settings
  readonly #isUnfinished: (id: string) => Promise<boolean>
  /** The next one to check comes first. */
  readonly #uploads = new Map<string, Counted>()
  /** The creations under way: an id says nothing about them, because an upload that has it may be deleted meanwhile. */
  readonly #pending = new Map<FastifyRequest, Counted>()
  readonly #ofClient = new Map<string, Set<Counted>>()
  /** Uploads with a body under way: it may end after the expiration, and extends it. */
  readonly #growing = new Set<string>()
  readonly #isLimited: boolean
  readonly #checkInterval: number

  /** @param isUnfinished - whether an upload exists, is not complete, and has not expired */
  constructor (settings: Settings, events: EventPublisher, isUnfinished: (id: string) => Promise<boolean>) {
    const { maxUploads, perClient, expiration } = settings
    this.#settings = settings
    this.#isUnfinished = isUnfinished
    this.#checkInterval = Math.min(expiration?.period ?? Infinity, MAX_CHECK_INTERVAL)
    this.#isLimited = maxUploads !== Infinity || perClient.maxUploads !== Infinity
    if (!this.#isLimited) return
    events.on('found', ({ upload: { id } }) => { if (!this.#uploads.has(id)) this.#add(id, undefined) })
    events.on('created', ({ upload: { id }, request }) => {
      const creation = this.#pending.get(request as FastifyRequest)
      this.#endCreation(request as FastifyRequest)
      this.#add(id, creation?.client)
    })
    events.on('stored', ({ upload: { id } }) => {
      const counted = this.#uploads.get(id)
      // The expiration starts again with each byte.
      if (counted !== undefined) this.#postpone(counted)
    })
    events.on('appendStarted', ({ upload: { id } }) => { this.#growing.add(id) })
    events.on('appendEnded', ({ upload: { id } }) => { this.#growing.delete(id) })
    for (const name of ['completed', 'terminated', 'expired', 'discarded'] as const) {
      events.on(name, ({ upload: { id } }) => this.#delete(id))
    }
  }

  /**
   * Creates an upload if the limits allow one more.
   * @throws FST_TUS_TOO_MANY_UPLOADS, FST_TUS_CLIENT_UPLOADS
   */
  async admit<T> (request: FastifyRequest, id: string, create: () => Promise<T>): Promise<T> {
    if (!this.#isLimited) return await create()
    const isLimitedPerClient = this.#settings.perClient.maxUploads !== Infinity
    const client = isLimitedPerClient ? await clientKeyOf(this.#settings, request) : undefined
    if (this.#isFull() || this.#isFullFor(client)) await this.#makeRoom(id, client)
    // From the check to the count, nothing is awaited.
    this.#checkLimits(id, client)
    const creation: Counted = { id, client, checkAt: Infinity }
    this.#pending.set(request, creation)
    this.#countFor(client, creation)
    try {
      return await create()
    } finally {
      this.#endCreation(request)
    }
  }

  #isFull (): boolean {
    return this.#uploads.size + this.#pending.size >= this.#settings.maxUploads
  }

  #isFullFor (client: string | undefined): boolean {
    return client !== undefined && (this.#ofClient.get(client)?.size ?? 0) >= this.#settings.perClient.maxUploads
  }

  #checkLimits (id: string, client: string | undefined): void {
    if (!this.#isFull() && !this.#isFullFor(client)) return
    // The creation would fail anyway, with this error.
    if (this.#uploads.has(id)) throw new errors.Exists()
    if (this.#isFull()) throw new errors.TooManyUploads()
    throw new errors.ClientUploads(this.#settings.perClient.maxUploads)
  }

  /** @param id - of the new upload: if another process has deleted an upload that had this id, it does not count */
  async #makeRoom (id: string, client: string | undefined): Promise<void> {
    const namesake = this.#uploads.get(id)
    if (namesake !== undefined) await this.#check(namesake)
    const ofClient = client === undefined ? undefined : this.#ofClient.get(client)
    for (const counted of ofClient ?? []) {
      if (this.#isFullFor(client) && counted.checkAt < Date.now()) await this.#check(counted)
    }
    for (const counted of this.#uploads.values()) {
      if (!this.#isFull() || counted.checkAt >= Date.now()) return
      await this.#check(counted)
    }
  }

  async #check (counted: Counted): Promise<void> {
    // Other requests need not ask again.
    this.#postpone(counted)
    const { id } = counted
    const remains = this.#growing.has(id) || await this.#isUnfinished(id).catch(() => true)
    if (!remains && this.#uploads.get(id) === counted) this.#delete(id)
  }

  /** Keeps the uploads in the order of their checks. */
  #postpone (counted: Counted): void {
    counted.checkAt = Date.now() + this.#checkInterval
    this.#uploads.delete(counted.id)
    this.#uploads.set(counted.id, counted)
  }

  #add (id: string, client: string | undefined): void {
    this.#delete(id)
    const counted = { id, client, checkAt: Date.now() + this.#checkInterval }
    this.#uploads.set(id, counted)
    this.#countFor(client, counted)
  }

  #delete (id: string): void {
    const counted = this.#uploads.get(id)
    if (counted === undefined) return
    this.#uploads.delete(id)
    this.#uncount(counted)
  }

  #endCreation (request: FastifyRequest): void {
    const creation = this.#pending.get(request)
    if (creation === undefined) return
    this.#pending.delete(request)
    this.#uncount(creation)
  }

  #countFor (client: string | undefined, counted: Counted): void {
    if (client === undefined) return
    const ofClient = this.#ofClient.get(client) ?? new Set()
    this.#ofClient.set(client, ofClient.add(counted))
  }

  #uncount (counted: Counted): void {
    if (counted.client === undefined) return
    const ofClient = this.#ofClient.get(counted.client) as Set<Counted>
    ofClient.delete(counted)
    if (ofClient.size === 0) this.#ofClient.delete(counted.client)
  }
}
