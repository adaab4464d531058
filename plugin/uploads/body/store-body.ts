import type { FastifyRequest } from 'fastify'
import { errors, withData } from '../../errors.ts'
import type { AdaptedAppend } from '../../stores/adapter.ts'
import type { Upload } from '../../types.ts'
import type { Context } from '../context.ts'
import type { HeldLock } from '../locking/upload-locks.ts'
import { isComplete } from '../state.ts'
import { typeCheckerFor } from './allowed-types.ts'
import type { Body } from './body.ts'
import { BodyVerifier } from './checksum.ts'
import { BodyPump, type Pumped } from './pump.ts'

export interface StoreBodyOptions {
  /** The maximum size of the complete upload, in bytes: its length or, while that is unknown, the limit. */
  maxSize: number
  /** The length of the upload, in bytes, if this request declares it. */
  declaredSize?: number | undefined
  lock: HeldLock
}

/**
 * Refuses a body that announces too many bytes, or too few for the last bytes of the upload.
 * @param size - the length of the upload, in bytes, if it is known
 * @throws FST_TUS_BODY_TOO_LONG, FST_TUS_TOO_LARGE, FST_TUS_LENGTH_MISMATCH
 */
export function checkBodyLength (
  body: Body | undefined, offset: number, size: number | undefined, maxSize: number
): void {
  if (body?.length === undefined) return
  const end = offset + body.length
  if (end > maxSize) throw tooLong(size, maxSize)
  if (body.completes === true && size !== undefined && end < size) throw new errors.LengthMismatch(size, end)
}

/**
 * Stores a body at the offset of the upload.
 * @returns the upload afterwards
 * @throws FST_TUS_BODY_TOO_LONG, FST_TUS_TOO_LARGE or FST_TUS_CHECKSUM_MISMATCH: none of the body counts
 * @throws FST_TUS_INTERRUPTED, FST_TUS_DISPLACED, FST_TUS_SHUTDOWN or an error of the store: what arrived counts,
 *   unless the body has a checksum, which cannot be verified then
 * @throws FST_TUS_LOCK_LOST: the response makes no claim about the offset
 */
export function storeBody (
  context: Context, request: FastifyRequest, upload: Upload, body: Body, options: StoreBodyOptions
): Promise<Upload> {
  return context.limits.bodies.run(request, () => new BodyStorage(context, request, upload, body, options).run())
}

/** One body on its way into the store. */
class BodyStorage {
  readonly #context: Context
  readonly #request: FastifyRequest
  /** As it was before the body. */
  readonly #upload: Upload
  /** Its length, in bytes, also if only this request declares it. */
  readonly #size: number | undefined
  readonly #body: Body
  readonly #options: StoreBodyOptions
  readonly #verifier: BodyVerifier
  /** The offset of the upload, in bytes; `undefined` if it is unknown. */
  #offset: number | undefined
  #received = 0
  #append: AdaptedAppend | undefined

  constructor (context: Context, request: FastifyRequest, upload: Upload, body: Body, options: StoreBodyOptions) {
    this.#context = context
    this.#request = request
    this.#upload = upload
    this.#size = upload.size ?? options.declaredSize
    this.#body = body
    this.#options = options
    this.#verifier = new BodyVerifier(body.expected)
    this.#offset = upload.offset
  }

  async run (): Promise<Upload> {
    const { events } = this.#context
    const start = performance.now()
    events.publish('appendStarted', { upload: this.#upload, request: this.#request })
    try {
      const pumped = await this.#pump()
      await this.#verify(pumped)
      const stored = await this.#commit(pumped)
      this.#publishEnd(start, undefined)
      return stored
    } catch (error) {
      if (error instanceof errors.Displaced) {
        events.publish('displaced', { upload: this.#upload, request: this.#request })
      }
      this.#publishEnd(start, error as Error)
      throw error
    }
  }

  #publishEnd (start: number, error: Error | undefined): void {
    this.#context.events.publish('appendEnded', {
      upload: this.#upload,
      request: this.#request,
      received: this.#received,
      offset: this.#offset,
      duration: performance.now() - start,
      error
    })
  }

  async #pump (): Promise<Pumped> {
    const { limits, settings, store } = this.#context
    const checkType = typeCheckerFor(this.#context, this.#upload)
    const rate = limits.minRate.measure(() => this.#body.close())
    const pump = new BodyPump(this.#body, {
      limit: this.#options.maxSize - this.#upload.offset,
      idleTimeout: settings.idleTimeout,
      release: this.#options.lock.release,
      releasesBuffers: !store.retainsBuffers,
      write: async (buffers, bytes) => {
        rate.stalled(bytes)
        if (checkType !== undefined) await checkType(buffers)
        if (this.#isSuperseded) throw new errors.LockLost()
        const append = this.#append ?? await this.#open()
        const written = append.write(buffers, bytes)
        // Hashed while the system writes.
        this.#verifier.update(buffers)
        await written
        rate.resumed()
        this.#moveTo(append.stored)
      }
    })
    try {
      return await pump.run(() => this.#body.accept(this.#upload))
    } finally {
      limits.minRate.ended(rate)
      this.#received = pump.received
    }
  }

  /** Whether another process may be writing by now, and the store would not notice. */
  get #isSuperseded (): boolean {
    return this.#options.lock.isLost && !this.#context.store.capabilities.has('fencing')
  }

  /**
   * Unless the store fences commits, nothing may be changed after the lock is lost.
   * @throws FST_TUS_LOCK_LOST
   */
  async #assertHeld (): Promise<void> {
    if (!this.#isSuperseded) return
    this.#offset = undefined
    await this.#append?.abandon().catch((err: unknown) => {
      this.#request.log.error({ err, uploadId: this.#upload.id }, 'append not closed')
    })
    throw new errors.LockLost()
  }

  /** If none of the body counts, rolls back and throws. */
  async #verify (pumped: Pumped): Promise<void> {
    try {
      if (pumped.outcome === 'overrun') throw tooLong(this.#size, this.#options.maxSize)
      if (pumped.outcome === 'complete') this.#checkDeclaredEnd()
      if (pumped.outcome === 'complete') await this.#verifier.verify(this.#append, this.#options.lock.release)
      else if (this.#verifier.isNeeded) throw pumped.error
    } catch (error) {
      await this.#assertHeld()
      if (this.#append !== undefined) this.#offset = await this.#append.rollback().catch(() => undefined)
      throw withData(error, { offset: this.#offset })
    }
  }

  /** A body that completes the upload must not end before its length. */
  #checkDeclaredEnd (): void {
    const end = this.#upload.offset + this.#received
    if (this.#body.completes !== true || this.#size === undefined || this.#size === end) return
    throw new errors.LengthMismatch(this.#size, end)
  }

  /**
   * Whether these are the last bytes of the upload. If its protocol declares the end, but that of the request does
   * not, the length decides.
   */
  get #completes (): boolean {
    if (this.#body.completes !== undefined) return this.#body.completes
    return this.#upload.complete === false && this.#upload.offset + this.#received === this.#size
  }

  /** Keeps the bytes that arrived, and throws if the body is incomplete. */
  async #commit (pumped: Pumped): Promise<Upload> {
    await this.#assertHeld()
    if (pumped.outcome === 'failed') {
      this.#offset = await this.#append?.commit({}).catch(() => undefined)
      throw withData(pumped.error, { offset: this.#offset })
    }
    const stored = { ...this.#upload, size: this.#size }
    const completes = pumped.outcome === 'complete' && this.#completes && !isComplete(this.#upload)
    if (completes) Object.assign(stored, { size: stored.offset + this.#received, complete: true })
    // If no byte arrived, no append is open yet; there may still be facts to record.
    const declares = pumped.outcome === 'complete' && (completes || this.#options.declaredSize !== undefined)
    const append = declares ? await this.#open() : this.#append
    if (append !== undefined) {
      stored.offset = await append.commit(completes ? { size: stored.size, complete: true } : {})
      // A store that does not report the time of the last write measures the expiration from the creation.
      stored.modified &&= Date.now()
      this.#moveTo(stored.offset)
    }
    if (pumped.outcome === 'stopped' && !isComplete(stored)) throw withData(pumped.error, { offset: stored.offset })
    return stored
  }

  async #open (): Promise<AdaptedAppend> {
    const { declaredSize: size } = this.#options
    this.#append ??= await this.#context.store.openAppend(this.#upload, { size, unverified: this.#verifier.isNeeded })
    return this.#append
  }

  #moveTo (offset: number): void {
    if (offset === this.#offset) return
    this.#offset = offset
    this.#body.onStored?.(offset)
    this.#context.events.publish('stored', { upload: this.#upload, request: this.#request, offset })
  }
}

function tooLong (size: number | undefined, maxSize: number): Error {
  return size === undefined ? new errors.TooLarge(maxSize) : new errors.BodyTooLong()
}
