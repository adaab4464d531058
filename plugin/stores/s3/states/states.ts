import { errors } from '../../../errors.ts'
import { type Bucket, ConditionFailed } from '../bucket/bucket.ts'
import { newName, stateKey } from '../bucket/keys.ts'
import { LruCache } from './lru.ts'
import { decode, differsOnlyInFacts, encode, type State, type VersionedState } from './state.ts'

/** How much of the states, above all of their tails, is cached, in bytes. */
const CACHE_BYTES = 32 * 1024 * 1024
/** What a state takes besides its tail and segments, in bytes: a rough figure. */
const RECORD_BYTES = 2048
const SEGMENT_BYTES = 100
/** How often a change is tried while other processes write to the upload. */
const CHANGE_ATTEMPTS = 10

/**
 * The state objects of uploads. A state is replaced only if it is still the version that was read, so that of two
 * processes that write to an upload, one fails.
 */
export class States {
  readonly #bucket: Bucket
  /** The states that this process has written last: another process may have written since. */
  readonly #cache = new LruCache<VersionedState>(CACHE_BYTES)

  constructor (bucket: Bucket) {
    this.#bucket = bucket
  }

  /**
   * The state that this process knows. It may be outdated; a commit that is based on it then fails. Without conditions
   * it would not.
   */
  cached (id: string): VersionedState | undefined {
    return this.#bucket.isConditional ? this.#cache.get(id) : undefined
  }

  forget (id: string): void {
    this.#cache.delete(id)
  }

  /** The current state, also of an upload that is being removed; `undefined` if there is none. */
  async read (id: string): Promise<VersionedState | undefined> {
    const found = await this.#bucket.getBytes(stateKey(id))
    return found === undefined ? undefined : this.#remember({ ...decode(found.bytes), etag: found.etag })
  }

  /** @throws FST_TUS_NOT_FOUND */
  async find (id: string): Promise<VersionedState> {
    const state = await this.read(id)
    if (state === undefined || state.phase === 'removed') throw new errors.NotFound()
    return state
  }

  /** @returns `undefined` if the id is taken */
  async create (state: Omit<State, 'commit'>): Promise<VersionedState | undefined> {
    if (!this.#bucket.isConditional && await this.read(state.upload.id) !== undefined) return undefined
    return await this.#write({ ...state, commit: newName() }, { isNew: true })
  }

  /**
   * Replaces a state. Facts that another process has recorded since the state was read are kept.
   * @throws FST_TUS_DISPLACED if another process has changed anything else
   */
  async commit (state: VersionedState, changesFor: (state: State) => Partial<State>): Promise<VersionedState> {
    const { id } = state.upload
    let current: VersionedState | undefined = state
    for (let attempt = 1; current !== undefined && differsOnlyInFacts(current, state); attempt++) {
      const written = await this.#replace(current, changesFor(current))
      if (written !== undefined) return written
      if (attempt === CHANGE_ATTEMPTS) throw new errors.StoreUnavailable()
      current = await this.read(id)
    }
    this.forget(id)
    throw new errors.Displaced()
  }

  /**
   * Records facts, whatever else changes at the same time.
   * @param changesFor - returns `undefined` if there is nothing to record
   * @returns `undefined` if the upload does not exist, or there was nothing to record
   */
  async change (
    id: string, changesFor: (state: State) => Partial<State> | undefined
  ): Promise<VersionedState | undefined> {
    let state = this.cached(id) ?? await this.read(id)
    for (let attempt = 1; state !== undefined && state.phase !== 'removed'; attempt++) {
      const changes = changesFor(state)
      if (changes === undefined) return undefined
      const written = await this.#replace(state, changes)
      if (written !== undefined) return written
      if (attempt === CHANGE_ATTEMPTS) throw new errors.StoreUnavailable()
      state = await this.read(id)
    }
    return undefined
  }

  /** @returns `undefined` if another process has replaced the state */
  async #replace ({ etag, ...state }: VersionedState, changes: Partial<State>): Promise<VersionedState | undefined> {
    return await this.#write({ ...state, ...changes, commit: newName() }, { etag })
  }

  /**
   * A write whose response is lost may have succeeded, and its repetition then fails. So the object is asked after any
   * failure.
   * @returns `undefined` if the condition does not hold
   */
  async #write (state: State, condition: { isNew?: boolean, etag?: string }): Promise<VersionedState | undefined> {
    const { id } = state.upload
    try {
      const etag = await this.#bucket.put(stateKey(id), encode(state), condition)
      return this.#remember({ ...state, etag })
    } catch (error) {
      this.forget(id)
      const found = await this.read(id).catch(() => { throw error })
      if (found?.commit === state.commit) return found
      // Servers respond with 404 to a condition for an object that is gone.
      if (error instanceof ConditionFailed || found?.etag !== condition.etag) return undefined
      throw error
    }
  }

  #remember (state: VersionedState): VersionedState {
    const bytes = RECORD_BYTES + state.segments.length * SEGMENT_BYTES + state.tail.length
    this.#cache.set(state.upload.id, state, bytes)
    return state
  }
}
