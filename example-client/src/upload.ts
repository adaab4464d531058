import { discard, discardFinal, discardLanes } from './deletions.ts'
import type { Layout } from './edit/faststart.ts'
import { sum } from './lanes.ts'
import type { Lane } from './lanes.ts'
import { isOver, isRunning } from './queue.ts'
import type { Failure } from './retry.ts'
import { Sending } from './sending.ts'
import { findGone } from './server.ts'
import { Speedometer } from './speed.ts'
import type { Kept, Missing, Seen, State } from './state.ts'
import type { UploadRecord } from './store.ts'

export interface FileUploadOptions {
  /** A visible property has changed. */
  onChange: (upload: FileUpload) => void
  /** Gets the stored copy of the bytes, if it is still valid. */
  getCopy: (record: UploadRecord) => Promise<Blob | null>
  /** The record has changed and must be stored. */
  onRemember: (record: UploadRecord) => void
  /** The upload is finished or cancelled. */
  onEnd: (upload: FileUpload) => void
}

/** The upload of one file, from the queue to its end. */
export class FileUpload implements Seen {
  record: UploadRecord
  state: State
  lanes: Lane[]
  speed: number | null = null
  continuedAt: number | null = null
  wait: Seen['wait'] = null
  failure: Failure | null = null
  missing: Missing | null = null
  kept: Kept | undefined
  restarted = false
  instant = false
  /** The chosen file before its edits; `null` if only the bytes to upload are known. */
  original: File | null = null
  /** The files that are appended. */
  others: File[] = []
  handle: FileSystemFileHandle | null = null
  /** A thumbnail, as a `data:` URL. */
  poster: string | null = null
  layout: Layout = 'none'

  #body: Blob | null
  #fromCopy = false
  // How often lanes have started over automatically. Limited, because a server may delete every upload.
  #restarts = 0
  #url: string | null = null
  #options: FileUploadOptions
  #sending: Sending | null = null
  #speedometer = new Speedometer()
  #rememberedAt = 0

  constructor (record: UploadRecord, body: Blob | null, state: State, options: FileUploadOptions) {
    this.record = record
    this.lanes = record.lanes.map(lane => ({ ...lane, sent: lane.accepted, busy: false }))
    this.state = state
    this.#body = body
    this.#options = options
  }

  get id (): string { return this.record.id }
  get name (): string { return this.record.name }
  get size (): number { return this.record.size }
  get accepted (): number { return sum(this.lanes, 'accepted') }
  get sent (): number { return sum(this.lanes, 'sent') }
  /** Whether it exists on the server. */
  get begun (): boolean { return this.lanes.some(lane => lane.url !== null) }
  /** Whether it can be edited. */
  get changeable (): boolean {
    return this.original !== null && !this.begun && ['ready', 'queued', 'paused'].includes(this.state)
  }

  /** The bytes to upload: the file after its edits. `null` while the file is missing. */
  get body (): Blob | null { return this.#body }
  /** The URL to read it from, finished or not. With several lanes, only after they are joined. */
  get url (): string | null { return this.#url ?? (this.lanes.length === 1 ? this.lanes[0]?.url ?? null : null) }

  /** Starts sending. */
  begin (): void {
    const body = this.#body
    if (!body) return
    this.#stop()
    this.#speedometer.reset()
    this.#change({ state: 'uploading', wait: null, failure: null, continuedAt: null, speed: null })
    this.#sending = this.#send(body)
    this.#sending.start()
  }

  /** `ready` restores an upload that was never started, after a reload. */
  pause (state: 'paused' | 'ready' = 'paused'): void {
    this.#stop()
    this.record.paused = true
    this.#change({ state, wait: null })
    this.#remember(true)
  }

  /** Enters the queue. */
  resume (): void {
    this.record.paused = this.restarted = false
    this.#restarts = 0
    this.#change({ state: 'queued', failure: null, missing: null })
    this.#remember(true)
  }

  /** Retries at once, as a whole or with the lanes that wait. */
  retryNow (): void {
    if (isRunning(this)) this.#sending?.retryNow()
  }

  /** Ends the upload and deletes it on the server. */
  cancel (): void {
    this.#stop()
    for (const { url } of this.lanes) if (url) discard(url)
    discardFinal(this.record)
    this.#change({ state: 'cancelled', failure: null, wait: null })
    this.#options.onEnd(this)
  }

  /** Takes the missing file. */
  adopt (body: Blob, original: File | null, handle: FileSystemFileHandle | null): void {
    this.#body = body
    this.original = original
    this.handle = handle
    this.missing = null
    this.resume()
  }

  /** Updates the offsets while the file is missing. */
  learn (accepted: (number | null)[]): void {
    this.lanes.forEach((lane, index) => {
      const bytes = accepted[index]
      if (typeof bytes === 'number') Object.assign(lane, { accepted: bytes, sent: bytes })
    })
    this.#change({})
  }

  /** Shows why it cannot resume automatically. */
  lose (missing: Missing): void {
    this.#change({ state: 'missing', missing })
  }

  /** Finishes without sending, because the server already has these bytes at `url`. */
  finishAt (url: string): void {
    this.instant = true
    this.#finish(url)
  }

  #send (body: Blob): Sending {
    return new Sending(body, this.lanes, {
      endpoint: this.record.endpoint,
      sliceSize: this.record.sliceSize,
      metadata: { filename: this.name, ...this.record.type && { filetype: this.record.type } },
      final: this.record.final,
      onFinal: final => {
        this.record.final = final
        this.#remember(true)
      },
      onUrl: () => this.#remember(true),
      onLateUrl: (url, lane) => {
        // Paused during the creation: the upload resumes there.
        if (lane.url !== null || isOver(this) || isRunning(this)) return discard(url)
        lane.url = url
        this.#remember(true)
      },
      onAccepted: asked => {
        if (asked) this.continuedAt = this.accepted
        this.#remember(false)
      },
      onMoved: () => {
        this.#speedometer.update(this.sent, performance.now())
        this.#change({ state: 'uploading', wait: null, speed: this.#speedometer.speed })
      },
      onWait: wait => {
        this.#speedometer.reset()
        this.#change({ speed: null, ...wait && { state: 'waiting', wait } })
      },
      onJoining: () => this.#change({ state: 'joining', wait: null, speed: null }),
      onDone: url => isOver(this) ? discard(url) : this.#finish(url),
      onFailed: (failure, lane) => this.#fail(failure, lane)
    })
  }

  #fail (failure: Failure, lane: Lane | null): void {
    this.#stop()
    // The server deletes idle uploads. If lanes cannot be joined, it does not report which one is missing.
    if (lane ? failure.reason === 'gone' && lane.url !== null : this.lanes.length > 1) {
      this.#renewGone(failure, lane).catch(reportError)
    } else if (failure.reason === 'file' && this.kept === 'copy' && !this.#fromCopy) {
      this.#goOnFromCopy(failure).catch(reportError)
    } else {
      this.#change({ state: 'failed', failure, wait: null })
    }
  }

  async #renewGone (failure: Failure, lane: Lane | null): Promise<void> {
    const sending = this.#sending
    const gone = await findGone(this.lanes, lane)
    // Paused, cancelled or restarted in the meantime.
    if (!isRunning(this) || this.#sending !== sending) return
    discardLanes(gone)
    if (gone.length > 0) {
      this.restarted = true
      discardFinal(this.record)
      this.#remember(true)
    }
    if (gone.length > 0 && this.#restarts++ < this.lanes.length) this.begin()
    else this.#change({ state: 'failed', failure, wait: null })
  }

  // The file on the disk has changed, but the copy has not.
  async #goOnFromCopy (failure: Failure): Promise<void> {
    const copy = await this.#options.getCopy(this.record).catch(() => null)
    if (copy) {
      this.#body = copy
      this.#fromCopy = true
    }
    // Paused or cancelled in the meantime.
    if (!isRunning(this)) return
    if (copy) this.begin()
    else this.#change({ state: 'failed', failure, wait: null })
  }

  #finish (url: string): void {
    this.#stop()
    this.#url = url
    for (const lane of this.lanes) lane.accepted = lane.sent = lane.end - lane.start
    this.#change({ state: 'done', speed: null, wait: null, failure: null })
    this.#options.onEnd(this)
  }

  #stop (): void {
    this.#sending?.stop()
    this.speed = null
  }

  #change (change: Partial<Seen>): void {
    Object.assign(this, change)
    this.#options.onChange(this)
  }

  #remember (now: boolean): void {
    if (!now && Date.now() - this.#rememberedAt < 1000) return
    this.#rememberedAt = Date.now()
    this.record.lanes = this.lanes.map(({ start, end, accepted, url }) => ({ start, end, accepted, url }))
    this.#options.onRemember(this.record)
  }
}
