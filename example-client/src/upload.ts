import { Upload } from 'tus-js-client'
import { concatenate } from './concatenate.ts'
import type { Layout } from './edit/faststart.ts'
import { sum } from './lanes.ts'
import type { Lane } from './lanes.ts'
import { delayOf, judge } from './retry.ts'
import type { Failure } from './retry.ts'
import { Speedometer } from './speed.ts'
import type { Kept, Missing, Seen, State } from './state.ts'
import type { UploadRecord } from './store.ts'
import { Transfer } from './transfer.ts'

type Changing = Pick<Seen, 'state' | 'speed' | 'continuedAt' | 'wait' | 'failure' | 'missing'>

export interface FileUploadOptions {
  /** Something that can be seen has changed. */
  onChange: (upload: FileUpload) => void
  /** The record has changed and must be stored. */
  onRemember: (record: UploadRecord) => void
  /** The upload has come to its end: it is finished, or was cancelled. */
  onEnd: (upload: FileUpload) => void
}

/** The upload of one file, from its place in the queue to its end. */
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
  /** The chosen file, before its edits; `null`: only what is sent of it is known. */
  original: File | null = null
  /** The files that are joined behind it. */
  others: File[] = []
  handle: FileSystemFileHandle | null = null
  /** A small picture of it, as a `data:` URL. */
  poster: string | null = null
  layout: Layout = 'none'

  #body: Blob | null
  #url: string | null = null
  #options: FileUploadOptions
  #transfers: Transfer[] = []
  #waits = new Set<Lane>()
  #speedometer = new Speedometer()
  #timer: ReturnType<typeof setTimeout> | undefined
  #rememberedAt = 0
  // Whether the next offset that the server tells is the one it goes on from.
  #resuming = false

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
  /** Whether the server knows of it. */
  get begun (): boolean { return this.lanes.some(lane => lane.url !== null) }
  /** Whether it can be changed before it is sent. */
  get changeable (): boolean {
    return this.original !== null && !this.begun && ['ready', 'queued', 'paused'].includes(this.state)
  }

  /** What is uploaded: the file after its edits. `null` while it is missing. */
  get body (): Blob | null { return this.#body }
  /** Where it can be read, finished or not: of lanes only once they are joined. */
  get url (): string | null { return this.#url ?? (this.lanes.length === 1 ? this.lanes[0]?.url ?? null : null) }

  /** Sends, now that it is its turn. */
  begin (): void {
    const body = this.#body
    if (!body) return
    this.#speedometer.reset()
    this.#change({ state: 'uploading', wait: null, failure: null, continuedAt: null, speed: null })
    this.#waits.clear()
    this.#resuming = this.begun
    this.#transfers = this.lanes.filter(lane => !isWhole(lane)).map(lane => this.#transfer(lane, body))
    if (this.#transfers.length === 0) return this.#arrived()
    for (const transfer of this.#transfers) transfer.start()
  }

  /** `ready` for one that was never started, after a reload. */
  pause (state: 'paused' | 'ready' = 'paused'): void {
    this.#stop()
    this.record.paused = true
    this.#change({ state, wait: null })
    this.#remember(true)
  }

  /** Takes its place in the queue again, or the first one. */
  resume (): void {
    this.record.paused = false
    this.#change({ state: 'queued', failure: null, missing: null })
    this.#remember(true)
  }

  /** Does not wait for the next try. */
  retryNow (): void {
    if (this.state !== 'waiting') return
    if (this.lanes.every(isWhole)) return this.#join(0)
    for (const transfer of this.#transfers) transfer.start()
  }

  /** Ends the upload and deletes what the server has of it. */
  cancel (): void {
    this.#stop()
    // When the server cannot be told, the upload expires there.
    for (const { url } of this.lanes) if (url) discard(url)
    this.#change({ state: 'cancelled', failure: null, wait: null })
    this.#options.onEnd(this)
  }

  /** Takes a file that was missing. */
  adopt (body: Blob, original: File | null, handle: FileSystemFileHandle | null): void {
    this.#body = body
    this.original = original
    this.handle = handle
    this.missing = null
    this.resume()
  }

  /** Learns what the server has, while the file is missing. */
  learn (accepted: (number | null)[]): void {
    this.lanes.forEach((lane, index) => {
      const bytes = accepted[index]
      if (typeof bytes === 'number') Object.assign(lane, { accepted: bytes, sent: bytes })
    })
    this.#change({})
  }

  /** Shows why it cannot go on by itself. */
  lose (missing: Missing): void {
    this.#change({ state: 'missing', missing })
  }

  /** Is finished without being sent: the server has these bytes at `url`. */
  finishAt (url: string): void {
    this.#url = url
    this.instant = true
    this.#finish()
  }

  #transfer (lane: Lane, body: Blob): Transfer {
    const alone = this.lanes.length === 1
    const transfer = new Transfer(body.slice(lane.start, lane.end), {
      endpoint: this.record.endpoint,
      url: lane.url,
      sliceSize: this.record.sliceSize,
      metadata: alone ? this.metadata : {},
      ...!alone && { headers: { 'Upload-Concat': 'partial' } },
      onUrl: url => {
        lane.url = url
        this.#remember(true)
        this.#changeLane(lane, {})
      },
      onAccepted: accepted => {
        Object.assign(lane, { accepted, sent: accepted })
        if (this.#resuming) this.continuedAt = this.accepted
        this.#resuming = false
        this.#changeLane(lane, {})
        this.#remember(false)
      },
      onSent: sent => this.#changeLane(lane, { sent: Math.max(sent, lane.accepted), busy: true }),
      onWait: (why, nextTry) => {
        this.#waits.add(lane)
        this.#resuming = true
        Object.assign(lane, { sent: lane.accepted, busy: false })
        const stuck = this.lanes.filter(other => !isWhole(other)).every(other => this.#waits.has(other))
        this.#speedometer.reset()
        this.#change(stuck ? { state: 'waiting', wait: { why, nextTry }, speed: null } : {})
      },
      onDone: () => {
        this.#transfers = this.#transfers.filter(other => other !== transfer)
        if (this.lanes.every(isWhole)) this.#arrived()
      },
      onFailed: failure => this.#fail(lane, failure)
    })
    return transfer
  }

  /** What the server is told about the file. */
  get metadata (): Record<string, string> {
    return { filename: this.name, ...this.record.type && { filetype: this.record.type } }
  }

  #fail (lane: Lane, failure: Failure): void {
    this.#stop()
    if (failure.reason === 'gone' && lane.url && !this.restarted) {
      // The server deletes uploads that are left alone for long.
      Object.assign(lane, { url: null, accepted: 0, sent: 0 })
      this.restarted = true
      return this.begin()
    }
    this.#change({ state: 'failed', failure, wait: null })
  }

  #arrived (): void {
    const [first] = this.lanes
    if (this.lanes.length > 1) return this.#join(0)
    this.#url = first?.url ?? null
    this.#finish()
  }

  #join (attempt: number): void {
    clearTimeout(this.#timer)
    this.#change({ state: 'joining', wait: null, speed: null })
    const urls = this.lanes.map(lane => lane.url ?? '')
    concatenate(this.record.endpoint, urls, this.metadata).then(({ status, url }) => {
      if (this.state !== 'joining') return
      if (url) {
        this.#url = url
        // The whole is a copy of its parts.
        urls.forEach(discard)
        return this.#finish()
      }
      const verdict = judge(status)
      if ('failure' in verdict) return this.#change({ state: 'failed', failure: verdict.failure })
      const delay = delayOf(attempt)
      this.#timer = setTimeout(() => this.#join(attempt + 1), delay)
      this.#change({ state: 'waiting', wait: { why: verdict.wait, nextTry: Date.now() + delay } })
    }).catch(() => {})
  }

  #finish (): void {
    for (const lane of this.lanes) lane.accepted = lane.sent = lane.end - lane.start
    this.#change({ state: 'done', speed: null, wait: null, failure: null })
    this.#options.onEnd(this)
  }

  #stop (): void {
    clearTimeout(this.#timer)
    for (const transfer of this.#transfers) transfer.stop()
    this.#transfers = []
    for (const lane of this.lanes) Object.assign(lane, { sent: lane.accepted, busy: false })
    this.speed = null
  }

  #changeLane (lane: Lane, change: Partial<Lane>): void {
    Object.assign(lane, change)
    this.#waits.delete(lane)
    this.#speedometer.update(this.sent, performance.now())
    this.#change({ state: 'uploading', wait: null, speed: this.#speedometer.speed })
  }

  #change (change: Partial<Changing>): void {
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

function isWhole (lane: Lane): boolean {
  // An empty file has a lane of no bytes, which is whole once the server has made its upload.
  return lane.url !== null && lane.accepted === lane.end - lane.start
}

function discard (url: string): void {
  Upload.terminate(url, { retryDelays: [1000, 4000, 16_000] }).catch(() => {})
}
