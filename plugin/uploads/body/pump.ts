import { errors } from '../../errors.ts'
import type { ReleaseSignal } from '../locking/release-signal.ts'
import type { Body } from './body.ts'

export interface PumpOptions {
  /** How many bytes the body may have. */
  limit: number
  /** After this time without a byte the connection is closed, in ms; 0: never. */
  idleTimeout: number
  /** Asks the pump to stop. */
  release: ReleaseSignal
  /** Stores a batch. Called again only after it has resolved. */
  write: (buffers: Buffer[], bytes: number) => Promise<void>
  /** Whether the buffers of a batch are not needed once it is written. */
  releasesBuffers: boolean
}

/**
 * How a body ended. `complete`: everything was written. `stopped`: what arrived was written; `error` is the reason.
 * `overrun`: more bytes arrived than allowed. `failed`: `write` failed with `error`.
 */
export type Pumped =
  | { outcome: 'complete' }
  | { outcome: 'overrun' }
  | { outcome: 'stopped' | 'failed', error: Error }

/** A batch is written once it has this many bytes … */
const BATCH_BYTES = 1024 * 1024
/** … or this many buffers, the most that one system call takes … */
const BATCH_BUFFERS = 1024
/** … or once its first bytes have waited this long, in ms: the bytes of a slow client must not stay in memory. */
const BATCH_MS = 20

/**
 * Moves a body into the store in batches, without a stream in between and without a copy. While one batch is written,
 * the next one gathers; once that is full too, the request is paused. A small body is one batch, in however many pieces
 * it arrives: each system call costs more than 64 KiB of bytes.
 */
export class BodyPump {
  readonly #body: Body
  readonly #options: PumpOptions
  #gathered: Buffer[] = []
  #gatheredBytes = 0
  #received = 0
  #isWriting = false
  #isExclusive = true
  #end: Pumped | undefined
  #idleTimer: NodeJS.Timeout | undefined
  #batchTimer: NodeJS.Timeout | undefined
  #resolve!: (pumped: Pumped) => void

  constructor (body: Body, options: PumpOptions) {
    this.#body = body
    this.#options = options
  }

  /** How many bytes have arrived. */
  get received (): number {
    return this.#received
  }

  /**
   * @param accept - called if the body will be read, before its first byte
   * @returns how the body ended, once nothing is being written
   */
  run (accept: () => void): Promise<Pumped> {
    const { stream } = this.#body
    return new Promise((resolve) => {
      this.#resolve = resolve
      // 'close' follows and is handled.
      stream.on('error', () => {})
      if (stream.readableDidRead) {
        // The bytes that follow would be stored at the wrong offset.
        this.#finish({ outcome: 'failed', error: new errors.BodyRead() })
      } else if (stream.readableEnded) {
        this.#onEnd()
      } else if (stream.destroyed) {
        this.#onClose()
      } else {
        accept()
        this.#start()
      }
    })
  }

  #start (): void {
    const { idleTimeout, release } = this.#options
    if (idleTimeout > 0) this.#idleTimer = setTimeout(this.#onIdle, idleTimeout)
    this.#body.stream.on('data', this.#onData).on('end', this.#onEnd).on('close', this.#onClose).resume()
    if (release.reason === undefined) release.listen(this.#onRelease)
    else this.#onRelease()
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#idleTimer?.refresh()
    this.#isExclusive &&= this.#body.isExclusive()
    this.#take(chunk)
    if (this.#isFull) this.#writeNext()
    if (this.#isFull) this.#body.stream.pause()
    this.#writeLater()
  }

  readonly #onEnd = (): void => {
    this.#finish({ outcome: 'complete' })
  }

  readonly #onClose = (): void => {
    this.#takeBuffered()
    this.#finish({ outcome: 'stopped', error: new errors.Interrupted() })
  }

  readonly #onRelease = (): void => {
    const { stream } = this.#body
    this.#takeBuffered()
    const isComplete = stream.readableEnded || (stream as { complete?: boolean }).complete === true
    const error = this.#options.release.reason as Error
    this.#finish(isComplete ? { outcome: 'complete' } : { outcome: 'stopped', error })
  }

  readonly #onIdle = (): void => {
    // A client cannot send while its request is paused.
    if (this.#body.stream.isPaused()) {
      this.#idleTimer?.refresh()
    } else {
      this.#finish({ outcome: 'stopped', error: new errors.Interrupted() })
      this.#body.close()
    }
  }

  get #isFull (): boolean {
    return this.#gatheredBytes >= BATCH_BYTES || this.#gathered.length >= BATCH_BUFFERS
  }

  #take (chunk: Buffer): void {
    this.#received += chunk.length
    if (this.#received > this.#options.limit) {
      this.#gathered = []
      this.#finish({ outcome: 'overrun' })
    } else {
      this.#gathered.push(chunk)
      this.#gatheredBytes += chunk.length
    }
  }

  /** Bytes that are in the buffer of the stream have arrived too. */
  #takeBuffered (): void {
    const { stream } = this.#body
    stream.off('data', this.#onData).pause()
    this.#isExclusive = false
    for (let chunk = stream.read(); chunk !== null; chunk = stream.read()) this.#take(chunk)
  }

  /** Writes a batch even if it is not full. */
  #writeLater (): void {
    if (this.#isWriting || this.#end !== undefined || this.#gathered.length === 0) return
    this.#batchTimer ??= setTimeout(() => this.#writeNext(), BATCH_MS)
  }

  #writeNext (): void {
    if (this.#isWriting) return
    clearTimeout(this.#batchTimer)
    this.#batchTimer = undefined
    if (this.#gathered.length === 0) {
      if (this.#end !== undefined) this.#resolve(this.#end)
      return
    }
    const batch = this.#gathered
    const bytes = this.#gatheredBytes
    this.#gathered = []
    this.#gatheredBytes = 0
    this.#isWriting = true
    this.#options.write(batch, bytes).then(() => this.#onWritten(batch), this.#onWriteFailed)
  }

  #onWritten (batch: Buffer[]): void {
    const { stream } = this.#body
    this.#isWriting = false
    if (this.#isExclusive && this.#options.releasesBuffers) this.#body.release(batch)
    if (this.#end !== undefined || this.#isFull) this.#writeNext()
    if (this.#end === undefined && stream.isPaused()) {
      stream.resume()
      this.#idleTimer?.refresh()
    }
    this.#writeLater()
  }

  /** A failed write overrides an earlier outcome. */
  readonly #onWriteFailed = (error: Error): void => {
    this.#isWriting = false
    this.#gathered = []
    this.#stop()
    this.#resolve({ outcome: 'failed', error })
  }

  #finish (end: Pumped): void {
    if (this.#end !== undefined) return
    this.#end = end
    this.#stop()
    this.#writeNext()
  }

  #stop (): void {
    clearTimeout(this.#idleTimer)
    clearTimeout(this.#batchTimer)
    this.#body.stream.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose).pause()
    this.#options.release.listen(undefined)
  }
}
