import { Readable } from 'node:stream'
import { errors } from '../errors.ts'
import type { Upload } from '../types.ts'
import { checkedBytes } from '../uploads/body/allowed-types.ts'
import type { Context } from '../uploads/context.ts'
import type { Following } from '../uploads/events/followers.ts'

/** How much is read at a time, in bytes. */
const READ_BYTES = 256 * 1024

/**
 * The bytes of an upload from `start` up to but not including `end`, as they are stored and `allowedTypes` has accepted
 * them. Waits for more, ends with the upload, and fails if no more can follow. Keeps nothing open while it waits.
 */
export class GrowingBody extends Readable {
  readonly #context: Context
  readonly #following: Following
  readonly #start: number
  readonly #end: number
  #position: number
  #isWanted = false

  constructor (context: Context, upload: Upload, { start, end }: { start: number, end: number }) {
    super()
    this.#context = context
    this.#following = context.followers.follow(upload, () => this.#go())
    this.#start = start
    this.#end = end
    this.#position = start
  }

  override _read (): void {
    this.#isWanted = true
    this.#go()
  }

  override _destroy (error: Error | null, done: (error: Error | null) => void): void {
    this.#following.stop()
    done(error)
  }

  /** Takes the next possible step. */
  #go (): void {
    const { upload, error } = this.#following
    const { offset, size } = upload
    // Sent bytes cannot be revoked. Only a body with too many bytes, or a failing disk, makes an upload shorter.
    const isShorter = this.#position > this.#start && this.#position > offset
    if (error instanceof errors.Shutdown) {
      // Without an error: Fastify would warn about it.
      this.destroy()
    } else if (error !== undefined || isShorter) {
      this.destroy(error ?? new errors.Gone())
    } else if (this.#isWanted) {
      const end = Math.min(this.#end, size ?? Infinity)
      const stored = Math.min(end, checkedBytes(this.#context, upload), this.#position + READ_BYTES)
      if (this.#position >= end) this.#finish()
      else if (this.#position < stored) this.#push(stored)
    }
  }

  #finish (): void {
    this.#isWanted = false
    this.push(null)
  }

  #push (end: number): void {
    this.#isWanted = false
    this.#following.read(this.#position, end).then((bytes) => {
      this.#position += bytes.length
      this.push(bytes)
    }, (error: Error) => this.destroy(error))
  }
}
