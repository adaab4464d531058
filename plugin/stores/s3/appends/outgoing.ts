import { newName } from '../bucket/keys.ts'
import type { MemoryBudget } from './memory-budget.ts'
import { pieceOf, piecesOf, type Segments } from './segments.ts'
import { bytesOf, type Segment } from '../states/state.ts'
import type { Piece } from '../objects/plan-parts.ts'

/** The most bytes that are stored in the state itself, without a segment. */
const TAIL_BYTES = 256 * 1024
/** How many segments of one append are sent at the same time. */
const WIDTH = 4

/** A segment on its way. */
interface Sending extends Segment {
  isStored: boolean
}

/** The bytes of an append that no state names in a segment yet: they gather in memory until they make a segment. */
export class Outgoing {
  /** The first failure. */
  error: Error | undefined
  readonly #id: string
  readonly #store: Segments
  readonly #budget: MemoryBudget
  #gathered: Buffer[] = []
  #gatheredBytes = 0
  #sent: Sending[] = []
  readonly #sending = new Set<Promise<void>>()
  /** Whether the gathered bytes have been there at the last call of `sendWaiting`. */
  #isWaiting = false

  /** @param tail - the bytes after the last segment of the upload */
  constructor (id: string, tail: Buffer, { segments, budget }: { segments: Segments, budget: MemoryBudget }) {
    this.#id = id
    this.#store = segments
    this.#budget = budget
    this.add([tail], tail.length)
  }

  get bytes (): number {
    return bytesOf(this.#sent) + this.#gatheredBytes
  }

  /** The segments, stored or not. */
  get segments (): Segment[] {
    return this.#sent
  }

  /** All bytes, in order. */
  get pieces (): Piece[] {
    return [...piecesOf(this.#id, this.#sent), ...this.#gathered.map(pieceOf)]
  }

  add (buffers: Buffer[], bytes: number): void {
    this.#budget.take(bytes)
    this.#gathered.push(...buffers)
    this.#gatheredBytes += bytes
  }

  /** @param most - sends what has gathered if it is longer */
  sendBeyond (most = TAIL_BYTES): void {
    if (this.#gatheredBytes > most) this.#send()
  }

  /** A slow client must not hold memory for long, nor lose more than a few seconds if the process dies. */
  sendWaiting (): void {
    if (this.#isWaiting) this.sendBeyond()
    this.#isWaiting = this.#gatheredBytes > 0
  }

  /**
   * Resolves once more bytes may be added. An append that holds nothing never waits for memory: otherwise some silent
   * clients would stop all others.
   */
  async room (): Promise<void> {
    while (this.error === undefined) {
      if (this.#sending.size === 0 && this.#budget.isSpent) this.sendBeyond(0)
      const isFull = this.#sending.size >= WIDTH || (this.#sending.size > 0 && this.#budget.isSpent)
      if (!isFull) return
      await Promise.race(this.#sending)
    }
  }

  /** Resolves once nothing is being sent. */
  async settled (): Promise<void> {
    await Promise.all(this.#sending)
  }

  /** What may count: everything up to the first segment that is not stored. */
  stored (): { segments: Segment[], tail: Buffer } {
    const missing = this.#sent.findIndex(({ isStored }) => !isStored)
    const segments = missing === -1 ? this.#sent : this.#sent.slice(0, missing)
    const isTail = missing === -1 && this.#gatheredBytes <= TAIL_BYTES
    return {
      segments: segments.map(({ name, bytes }) => ({ name, bytes })),
      tail: isTail ? Buffer.concat(this.#gathered) : Buffer.alloc(0)
    }
  }

  /** @param count - how many of the first segments the state names now */
  committed (count: number): void {
    this.#sent = this.#sent.slice(count)
  }

  /** Forgets the bytes in memory. */
  release (): void {
    this.#budget.release(this.#gatheredBytes)
    this.#gatheredBytes = 0
    this.#gathered = []
  }

  #send (): void {
    const bytes = Buffer.concat(this.#gathered)
    const segment: Sending = { name: newName(), bytes: bytes.length, isStored: false }
    this.#gathered = []
    this.#gatheredBytes = 0
    this.#isWaiting = false
    this.#sent.push(segment)
    const sending = this.#store.write(this.#id, bytes, segment.name)
      .then(() => { segment.isStored = true }, (error: Error) => { this.error ??= error })
      .finally(() => {
        this.#sending.delete(sending)
        this.#budget.release(bytes.length)
      })
    this.#sending.add(sending)
  }
}
