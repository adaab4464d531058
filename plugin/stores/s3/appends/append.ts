import type { Append, AppendOptions, CommitOptions } from '../../../types.ts'
import { StoredUpload } from '../../stored-upload.ts'
import { errors } from '../../../errors.ts'
import type { Garbage } from '../sweeps/garbage.ts'
import { newName } from '../bucket/keys.ts'
import type { MemoryBudget } from './memory-budget.ts'
import { Outgoing } from './outgoing.ts'
import { piecesOf, type Segments } from './segments.ts'
import { bytesOf, type State, type VersionedState } from '../states/state.ts'
import type { States } from '../states/states.ts'

/** How often the bytes of a body under way are committed, in ms. */
const CHECKPOINT_MS = 1000

/** What appends need of the store. */
export interface AppendContext {
  states: States
  segments: Segments
  budget: MemoryBudget
  garbage: Garbage
  segmentBytes: (state: State) => number
}

/**
 * One append. Bytes gather in memory until they make a segment; several segments are sent at the same time. They count
 * once the state names them: at the end, and, for a body that takes long, about once a second.
 */
export class S3Append implements Append {
  readonly #context: AppendContext
  readonly #options: AppendOptions
  readonly #name = newName()
  /** The state as it was before the append, and as it is now. */
  readonly #before: VersionedState
  #state: VersionedState
  /** The bytes after the last segment of the state. */
  readonly #outgoing: Outgoing
  #checkpoint: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #error: Error | undefined
  /** Whether the caller knows that the append has failed. */
  #isReported = false

  constructor (context: AppendContext, state: VersionedState, options: AppendOptions) {
    this.#context = context
    this.#options = options
    this.#before = state
    this.#state = state
    this.#outgoing = new Outgoing(state.upload.id, state.tail, context)
  }

  get stored (): number {
    return this.#state.upload.offset
  }

  async write (buffers: Buffer[], bytes: number): Promise<void> {
    this.#outgoing.add(buffers, bytes)
    this.#outgoing.sendBeyond(this.#context.segmentBytes(this.#state) - 1)
    this.#timer ??= setTimeout(this.#onTime, CHECKPOINT_MS)
    await this.#outgoing.room()
    if (this.#failure === undefined) return
    this.#isReported = true
    throw this.#failure
  }

  async commit ({ size = this.#options.size, complete }: CommitOptions = {}): Promise<number> {
    this.#outgoing.sendBeyond()
    await this.#settle()
    if (this.#error instanceof errors.Displaced) return this.#leave(this.#error)
    const facts = this.#failure === undefined ? { size, complete } : {}
    try {
      await this.#commit(facts, { isLast: true })
    } catch (error) {
      return this.#leave(error)
    }
    this.#outgoing.release()
    if (this.#failure !== undefined && !this.#isReported) throw this.#failure
    return this.stored
  }

  async rollback (): Promise<number> {
    await this.#settle()
    if (this.#error instanceof errors.Displaced) return this.#leave(this.#error)
    this.#outgoing.release()
    const { upload: { offset, size, complete, modified }, segments, tail } = this.#before
    const written = [...this.#state.segments, ...this.#outgoing.segments]
    if (this.#state !== this.#before) {
      this.#state = await this.#context.states.commit(this.#state, ({ upload }) => ({
        upload: new StoredUpload({ ...upload, offset, size, complete, modified }), segments, tail, appending: undefined
      }))
    }
    // After a failure they may yet count: the response to a commit may be lost.
    if (this.#failure === undefined) this.#context.garbage.deleteSegments(this.#state, written)
    return this.stored
  }

  async abandon (): Promise<void> {
    await this.#settle()
    this.#outgoing.release()
  }

  async * readBack (): AsyncGenerator<Buffer> {
    await this.#settle()
    if (this.#failure !== undefined) throw this.#failure
    const { upload: { id, offset } } = this.#before
    let start = 0
    for (const piece of [...piecesOf(id, this.#state.segments), ...this.#outgoing.pieces]) {
      const end = start + piece.bytes
      if (end > offset) yield (await this.#context.segments.read(piece)).subarray(Math.max(0, offset - start))
      start = end
    }
  }

  get #failure (): Error | undefined {
    return this.#error ?? this.#outgoing.error
  }

  /**
   * Ends an append that has failed. Its segments stay: they may count, now or later, if the response to a commit was
   * lost. Only after another process has moved on, the state is final for them.
   */
  #leave (error: unknown): never {
    this.#outgoing.release()
    if (error instanceof errors.Displaced) {
      const { upload: { id }, segments } = this.#state
      this.#context.garbage.deleteUnnamed(this.#context.states, id, [...segments, ...this.#outgoing.segments])
    }
    throw error
  }

  readonly #onTime = (): void => {
    this.#timer = undefined
    this.#outgoing.sendWaiting()
    if (this.#options.unverified !== true) this.#startCheckpoint()
    const received = bytesOf(this.#state.segments) + this.#outgoing.bytes
    if (received > this.stored && this.#failure === undefined) this.#timer = setTimeout(this.#onTime, CHECKPOINT_MS)
  }

  #startCheckpoint (): void {
    this.#checkpoint ??= this.#commit({}, { isLast: false })
      .catch((error: Error) => { this.#error ??= error })
      .finally(() => { this.#checkpoint = undefined })
  }

  /** Resolves once nothing is being sent. */
  async #settle (): Promise<void> {
    clearTimeout(this.#timer)
    await this.#outgoing.settled()
    await this.#checkpoint
  }

  async #commit (facts: CommitOptions, { isLast }: { isLast: boolean }): Promise<void> {
    const { states, segments: all, garbage, segmentBytes } = this.#context
    const { upload } = this.#state
    const stored = this.#outgoing.stored()
    const progress = { segments: [...this.#state.segments, ...stored.segments], tail: stored.tail }
    const offset = bytesOf(progress.segments) + progress.tail.length
    const size = facts.size ?? upload.size
    const complete = facts.complete ?? upload.complete
    // A tail that is committed already may be in a segment that is not stored yet.
    const moves = offset > upload.offset
    const declares = size !== upload.size || complete !== upload.complete
    const ends = isLast && this.#state.appending !== undefined
    if (!moves && !declares && !ends) return
    const { segments, tail } = moves ? progress : this.#state
    // A rollback needs the segments from before the append.
    const kept = isLast ? 0 : this.#before.segments.length
    const joined = await all.joinSmall(upload.id, segments, segmentBytes(this.#state), kept)
    this.#state = await states.commit(this.#state, ({ upload }) => ({
      upload: new StoredUpload({ ...upload, size, complete, ...moves && { offset, modified: Date.now() } }),
      segments: joined,
      tail,
      appending: isLast ? undefined : this.#name
    }))
    if (moves) this.#outgoing.committed(stored.segments.length)
    if (joined !== segments) garbage.deleteSegments(this.#state, segments)
  }
}
