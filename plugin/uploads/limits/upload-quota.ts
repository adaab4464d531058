import { randomBytes } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { errors } from '../../errors.ts'
import type { Settings } from '../../settings.ts'
import type { CountedGroup, Counter } from '../../types.ts'
import type { EventPublisher } from '../events/events.ts'
import { clientKeyOf } from './client-key.ts'
import { count } from './counted.ts'

/** How often at most the store is asked whether an upload still counts, in ms. */
const MAX_CHECK_INTERVAL = 3_600_000
/** How long the creation of a process that has ended still counts, in ms. */
const CREATION_MS = 60_000
/** How many uploads a process remembers to have counted. */
const MAX_REMEMBERED = 10_000

interface Creation {
  /** An id says nothing about it, because an upload that has it may be deleted meanwhile. */
  entry: string
  groups: CountedGroup[]
  /** Resolves once it no longer counts. */
  ending?: Promise<void>
}

/** An upload that this process has counted. It may forget that. */
interface Counted {
  groups: CountedGroup[]
  /** When to count it again, in ms since the epoch. */
  extendAt: number
}

/**
 * Limits the unfinished uploads, in total (`maxUploads`) and per client. An upload counts until an event says that it
 * is complete or deleted. A process with another counter or the app may have deleted it, and nothing may sweep it after
 * its expiration: so a full quota asks the store.
 */
export class UploadQuota {
  readonly #settings: Settings
  readonly #counter: Counter
  readonly #scope: string
  readonly #isUnfinished: (id: string) => Promise<boolean>
  readonly #creations = new Map<FastifyRequest, Creation>()
  readonly #uploads = new Map<string, Counted>()
  /** Uploads with a body under way: it may end after the expiration, and extends it. */
  readonly #growing = new Set<string>()
  readonly #isLimited: boolean
  readonly #ttl: number

  /**
   * @param scope - keeps the groups of several registrations apart
   * @param isUnfinished - whether an upload exists, is not complete, and has not expired
   */
  constructor (
    settings: Settings, events: EventPublisher, counter: Counter, scope: string,
    isUnfinished: (id: string) => Promise<boolean>
  ) {
    const { maxUploads, perClient, expiration } = settings
    this.#settings = settings
    this.#counter = counter
    this.#scope = scope
    this.#isUnfinished = isUnfinished
    this.#ttl = Math.min(expiration?.period ?? Infinity, MAX_CHECK_INTERVAL)
    this.#isLimited = maxUploads !== Infinity || perClient.maxUploads !== Infinity
    if (this.#isLimited) this.#follow(events)
  }

  /**
   * Creates an upload if the limits allow one more.
   * @throws FST_TUS_TOO_MANY_UPLOADS, FST_TUS_CLIENT_UPLOADS, FST_TUS_LOCKER_FAILED
   */
  async admit<T> (request: FastifyRequest, id: string, create: () => Promise<T>): Promise<T> {
    if (!this.#isLimited) return await create()
    const entry = `creation ${randomBytes(9).toString('base64url')}`
    const creation: Creation = { entry, groups: await this.#groups(request) }
    await this.#count(id, creation)
    this.#creations.set(request, creation)
    try {
      return await create()
    } finally {
      this.#creations.delete(request)
      await (creation.ending ?? this.#remove(creation.entry))
    }
  }

  async #groups (request: FastifyRequest): Promise<CountedGroup[]> {
    const { maxUploads, perClient } = this.#settings
    const all = { name: `${this.#scope} uploads`, max: maxUploads }
    if (perClient.maxUploads === Infinity) return [all]
    const client = await clientKeyOf(this.#settings, request)
    return [all, { name: `${this.#scope} uploads of ${client}`, max: perClient.maxUploads }]
  }

  async #count (id: string, { entry, groups }: Creation): Promise<void> {
    const remains = (entry: string) => this.#remains(entry)
    const counter = this.#counter
    let full = await count(counter, entry, groups, CREATION_MS, remains)
    if (full === undefined) return
    if (this.#uploads.has(id)) {
      // The creation would fail anyway, with this error, unless another process has deleted the upload.
      if (await remains(entryOf(id))) throw new errors.Exists()
      await this.#delete(id)
      full = await count(counter, entry, groups, CREATION_MS, remains)
    }
    if (full === groups[0]?.name) throw new errors.TooManyUploads()
    if (full !== undefined) throw new errors.ClientUploads(this.#settings.perClient.maxUploads)
  }

  async #remains (entry: string): Promise<boolean> {
    const id = idOf(entry)
    if (id === undefined) return false
    return this.#growing.has(id) || await this.#isUnfinished(id).catch(() => true)
  }

  #follow (events: EventPublisher): void {
    events.on('found', ({ upload: { id } }) => {
      if (!this.#uploads.has(id)) this.#add(id, [{ name: `${this.#scope} uploads`, max: Infinity }])
    })
    events.on('created', ({ upload: { id }, request }) => {
      const creation = this.#creations.get(request as FastifyRequest)
      if (creation !== undefined) creation.ending = this.#addNew(id, creation)
    })
    events.on('stored', ({ upload: { id } }) => {
      const counted = this.#uploads.get(id)
      // The expiration starts again with each byte.
      if (counted !== undefined && counted.extendAt <= Date.now()) this.#add(id, counted.groups)
    })
    events.on('appendStarted', ({ upload: { id } }) => { this.#growing.add(id) })
    events.on('appendEnded', ({ upload: { id } }) => { this.#growing.delete(id) })
    for (const name of ['completed', 'terminated', 'expired', 'discarded'] as const) {
      events.on(name, ({ upload: { id } }) => { this.#delete(id).catch(ignore) })
    }
  }

  /** An upload of another client may have had the id; another process has deleted it. */
  async #addNew (id: string, { entry, groups }: Creation): Promise<void> {
    if (this.#uploads.has(id)) await this.#delete(id)
    this.#add(id, groups)
    await this.#remove(entry)
  }

  /** Counts an upload that exists, also beyond the limits. */
  #add (id: string, groups: CountedGroup[]): void {
    this.#uploads.delete(id)
    this.#uploads.set(id, { groups, extendAt: Date.now() + this.#ttl / 4 })
    const [oldest] = this.#uploads.keys()
    if (this.#uploads.size > MAX_REMEMBERED) this.#uploads.delete(oldest as string)
    const unlimited = groups.map(({ name }) => ({ name, max: Infinity }))
    this.#counter.add(entryOf(id), unlimited, this.#ttl).catch(() => { this.#uploads.delete(id) })
  }

  async #delete (id: string): Promise<void> {
    this.#uploads.delete(id)
    await this.#remove(entryOf(id))
  }

  /** If that fails, the entry is checked once it is stale. */
  async #remove (entry: string): Promise<void> {
    await this.#counter.remove(entry).catch(ignore)
  }
}

const ignore = () => {}
const UPLOAD = 'upload '
const entryOf = (id: string) => `${UPLOAD}${id}`
const idOf = (entry: string) => entry.startsWith(UPLOAD) ? entry.slice(UPLOAD.length) : undefined
