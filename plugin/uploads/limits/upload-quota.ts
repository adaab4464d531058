import type { FastifyRequest } from 'fastify'
import { errors } from '../../errors.ts'
import type { Settings } from '../../settings.ts'
import type { Upload } from '../../types.ts'
import { clientOf } from './client-key.ts'
import type { Scope } from '../context.ts'

interface Counted {
  /** Whose it is; `undefined` where that is not known, as of those of before a restart. */
  client: string | undefined
  /** In ms since the epoch: what nobody told of is gone by then. */
  expiresAt: number
}

/** The unfinished uploads that this process knows, where `maxUploads` limits them; none otherwise. */
export class Unfinished {
  readonly #uploads = new Map<string, Counted>()
  readonly #perClient = new Map<string, number>()
  readonly #max: number
  readonly #maxPerClient: number
  readonly #period: number

  constructor ({ maxUploads, perClient, expiration }: Settings) {
    this.#max = maxUploads
    this.#maxPerClient = perClient.maxUploads
    this.#period = expiration?.period ?? Infinity
  }

  get isLimited (): boolean {
    return this.#max !== Infinity || this.#maxPerClient !== Infinity
  }

  /**
   * Counts an upload that will be made.
   * @returns whether it was not counted before
   * @throws FST_TUS_TOO_MANY_UPLOADS, FST_TUS_CLIENT_UPLOADS
   */
  admit (id: string, client: string | undefined): boolean {
    if (this.#uploads.has(id)) return false
    if (this.#isFull(client)) this.#forgetExpired()
    if (this.#uploads.size >= this.#max) throw new errors.TooManyUploads()
    if (this.#countOf(client) >= this.#maxPerClient) throw new errors.ClientUploads(this.#maxPerClient)
    this.#add(id, client)
    return true
  }

  /** One of before a restart. */
  found ({ id }: Upload): void {
    if (this.isLimited && !this.#uploads.has(id)) this.#add(id, undefined)
  }

  /** One that lives longer now. */
  appended ({ id }: Upload): void {
    const counted = this.#uploads.get(id)
    if (counted === undefined) return
    this.delete(id)
    this.#add(id, counted.client)
  }

  /** One that is whole now, or gone. */
  delete (id: string): void {
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

  #isFull (client: string | undefined): boolean {
    return this.#uploads.size >= this.#max || this.#countOf(client) >= this.#maxPerClient
  }

  /** The oldest come first: what is appended to goes to the end. */
  #forgetExpired (): void {
    const now = Date.now()
    for (const [id, { expiresAt }] of this.#uploads) {
      if (expiresAt >= now) return
      this.delete(id)
    }
  }
}

/**
 * Makes an upload if there may be one more unfinished one.
 * @param staysAfter - whether an error leaves the upload to be gone on with
 */
export async function counted<T> (
  scope: Scope, request: FastifyRequest, id: string, make: () => Promise<T>, staysAfter: (error: unknown) => boolean
): Promise<T> {
  const { unfinished, settings } = scope
  if (!unfinished.isLimited) return await make()
  const client = settings.perClient.maxUploads === Infinity ? undefined : await clientOf(scope, request)
  const isNew = unfinished.admit(id, client)
  try {
    return await make()
  } catch (error) {
    if (isNew && !staysAfter(error)) unfinished.delete(id)
    throw error
  }
}
