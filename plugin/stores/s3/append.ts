import type { Append, AppendOptions, CommitOptions } from '../../types.ts'
import { StoredUpload } from '../stored-upload.ts'
import { errors } from '../../errors.ts'
import type { Garbage } from './garbage.ts'
import { newName, segmentKey } from './keys.ts'
import type { MemoryBudget } from './memory-budget.ts'
import { piecesOf, type Segments } from './segments.ts'
import { bytesOf, type Segment, type State, type VersionedState } from './state.ts'
import type { States } from './states.ts'

/** The most bytes that are stored in the state itself, without a segment. */
const TAIL_BYTES = 256 * 1024
/** How many segments of one append are sent at the same time. */
const WIDTH = 4
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

/** A segment on its way. */
interface Sending extends Segment {
  isStored: boolean
}

/** The bytes of an upload, if the append ends now. */
type Progress = Pick<State, 'segments' | 'tail'> & { offset: number }

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
  /** The tail of the state, then the bytes of this append that are in no segment yet. */
  #gathered: Buffer[]
  #gatheredBytes: number
  readonly #sent: Sending[] = []
  #sending = new Set<Promise<void>>()
  #checkpoint: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  /** Whether the gathered bytes have been there at the last checkpoint. */
  #isWaiting = false
  #error: Error | undefined

  constructor (context: AppendContext, state: VersionedState, options: AppendOptions) {
    this.#context = context
    this.#options = options
    this.#before = state
    this.#state = state
    this.#gathered = [state.tail]
    this.#gatheredBytes = state.tail.length
    context.budget.take(this.#gatheredBytes)
  }

  get stored (): number {
    return this.#state.upload.offset
  }

  async write (buffers: Buffer[], bytes: number): Promise<void> {
    this.#context.budget.take(bytes)
    this.#gathered.push(...buffers)
    this.#gatheredBytes += bytes
    if (this.#gatheredBytes >= this.#context.segmentBytes(this.#state)) this.#send()
    this.#timer ??= setTimeout(this.#onTime, CHECKPOINT_MS)
    while (this.#error === undefined && this.#sending.size >= WIDTH) await Promise.race(this.#sending)
    await this.#waitForMemory()
    if (this.#error !== undefined) throw this.#error
  }

  async #waitForMemory (): Promise<void> {
    const { budget } = this.#context
    while (this.#error === undefined && budget.isSpent) {
      if (this.#sending.size > 0) await Promise.race(this.#sending)
      else if (this.#gatheredBytes > 0) this.#send()
      else await budget.room()
    }
  }

  async commit ({ size = this.#options.size, complete }: CommitOptions = {}): Promise<number> {
    if (this.#gatheredBytes > TAIL_BYTES) this.#send()
    const hadFailed = this.#error !== undefined
    await this.#settle()
    const facts = this.#error === undefined ? { size, complete } : {}
    try {
      await this.#commit(facts, { isLast: true })
    } finally {
      this.#release()
    }
    if (this.#error !== undefined && !hadFailed) throw this.#error
    return this.stored
  }

  async rollback (): Promise<number> {
    await this.#settle()
    this.#release()
    const { upload, segments, tail } = this.#before
    if (this.#state !== this.#before) {
      this.#state = await this.#context.states.commit(this.#state, { upload, segments, tail, appending: undefined })
    }
    this.#context.garbage.delete(this.#keys())
    return this.stored
  }

  async abandon (): Promise<void> {
    await this.#settle()
    this.#release()
  }

  async * readBack (): AsyncGenerator<Buffer> {
    await this.#settle()
    if (this.#error !== undefined) throw this.#error
    let skipped = this.#before.tail.length
    for (const piece of piecesOf(this.#before.upload.id, this.#sent)) {
      const bytes = await this.#context.segments.read(piece)
      yield bytes.subarray(skipped)
      skipped = Math.max(0, skipped - bytes.length)
    }
    for (const bytes of this.#gathered) {
      yield bytes.subarray(skipped)
      skipped = Math.max(0, skipped - bytes.length)
    }
  }

  /** Sends what has gathered, however little it is. */
  #send (): void {
    const { segments, budget } = this.#context
    const bytes = Buffer.concat(this.#gathered)
    const segment: Sending = { name: newName(), bytes: bytes.length, isStored: false }
    this.#gathered = []
    this.#gatheredBytes = 0
    this.#isWaiting = false
    this.#sent.push(segment)
    const sending = segments.write(this.#before.upload.id, bytes, segment.name)
      .then(() => { segment.isStored = true }, (error: Error) => { this.#error ??= error })
      .finally(() => {
        this.#sending.delete(sending)
        budget.release(bytes.length)
      })
    this.#sending.add(sending)
  }

  /** A slow client must not hold memory for long, nor lose more than a few seconds if the process dies. */
  readonly #onTime = (): void => {
    this.#timer = undefined
    if (this.#isWaiting && this.#gatheredBytes > TAIL_BYTES) this.#send()
    this.#isWaiting = this.#gatheredBytes > 0
    if (this.#options.unverified !== true) this.#startCheckpoint()
    const received = this.#before.upload.offset - this.#before.tail.length + bytesOf(this.#sent) + this.#gatheredBytes
    if (received > this.stored && this.#error === undefined) this.#timer = setTimeout(this.#onTime, CHECKPOINT_MS)
  }

  #startCheckpoint (): void {
    this.#checkpoint ??= this.#commit({}, { isLast: false })
      .catch((error: Error) => { this.#error ??= error })
      .finally(() => { this.#checkpoint = undefined })
  }

  /** Resolves once nothing is being sent. */
  async #settle (): Promise<void> {
    clearTimeout(this.#timer)
    await Promise.all(this.#sending)
    await this.#checkpoint
  }

  /** What counts if the append ends now: everything up to the first segment that is not stored. */
  #progress (): Progress {
    const { segments, upload } = this.#before
    const missing = this.#sent.findIndex(({ isStored }) => !isStored)
    const stored = missing === -1 ? this.#sent : this.#sent.slice(0, missing)
    const isTail = missing === -1 && this.#gatheredBytes <= TAIL_BYTES
    const tail = isTail ? Buffer.concat(this.#gathered) : Buffer.alloc(0)
    const start = upload.offset - this.#before.tail.length
    return {
      segments: [...segments, ...stored.map(({ name, bytes }) => ({ name, bytes }))],
      tail,
      offset: start + bytesOf(stored) + tail.length
    }
  }

  async #commit (facts: CommitOptions, { isLast }: { isLast: boolean }): Promise<void> {
    const { states, segments: all, garbage, segmentBytes } = this.#context
    const { upload } = this.#state
    const { offset, ...progress } = this.#progress()
    const size = facts.size ?? upload.size
    const complete = facts.complete ?? upload.complete
    const moves = offset > upload.offset
    const declares = size !== upload.size || complete !== upload.complete
    const ends = isLast && this.#state.appending !== undefined
    if (!moves && !declares && !ends) return
    // A tail that is committed already may be in a segment that could not be stored.
    const { segments, tail } = moves ? progress : this.#state
    const joined = isLast ? await all.joinSmall(upload.id, segments, segmentBytes(this.#state)) : segments
    this.#state = await states.commit(this.#state, {
      upload: new StoredUpload({ ...upload, size, complete, ...moves && { offset, modified: Date.now() } }),
      segments: joined,
      tail,
      appending: isLast ? undefined : this.#name
    })
    const names = new Set(joined.map(({ name }) => name))
    garbage.delete(segments.filter(({ name }) => !names.has(name)).map(({ name }) => segmentKey(upload.id, name)))
  }

  #release (): void {
    this.#context.budget.release(this.#gatheredBytes)
    this.#gatheredBytes = 0
    this.#gathered = []
    // Otherwise the segments may yet count: the response to a commit may be lost.
    if (this.#error instanceof errors.Displaced) this.#context.garbage.delete(this.#keys())
  }

  /** The segments of this append that the state does not name. */
  #keys (): string[] {
    const named = new Set(this.#state.segments.map(({ name }) => name))
    return this.#sent.filter(({ name }) => !named.has(name)).map(({ name }) => segmentKey(this.#before.upload.id, name))
  }
}
