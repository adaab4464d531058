import { askJoined, concatenate, reserve } from './concatenate.ts'
import { discard, discardLanes } from './deletions.ts'
import { isWhole } from './lanes.ts'
import type { Lane } from './lanes.ts'
import { delayOf, judge } from './retry.ts'
import type { Failure, Wait } from './retry.ts'
import { findGone } from './server.ts'
import { Transfer } from './transfer.ts'

/** Why and until when a lane waits, in ms since 1970; `null`: until the network is back. */
interface Waiting {
  why: Wait
  nextTry: number | null
}

export interface SendingOptions {
  endpoint: string
  /** The largest request body, in bytes. */
  sliceSize: number
  /** The metadata of the upload. */
  metadata: Record<string, string>
  /** The URL of the final upload of several lanes, or `null` if the server creates it only at the end. */
  final: string | null | undefined
  onFinal: (final: string | null) => void
  /** A lane has got an upload on the server. */
  onUrl: () => void
  /** The server has created an upload for an attempt that was stopped or replaced in the meantime. */
  onLateUrl: (url: string, lane: Lane) => void
  /** The server has reported the offset of a lane. `asked`: by a HEAD, before the first byte is sent. */
  onAccepted: (asked: boolean) => void
  /** Bytes were sent or accepted. */
  onMoved: () => void
  /** A lane waits. `wait` is set if no other lane moves either. */
  onWait: (wait: Waiting | null) => void
  /** All bytes are stored, and the server is joining the lanes. */
  onJoining: () => void
  /** The complete file is at a URL. May be called after `stop`, if the server was joining the lanes. */
  onDone: (url: string) => void
  /** The upload has failed; `lane` is the lane that the server has refused. */
  onFailed: (failure: Failure, lane: Lane | null) => void
}

/**
 * Uploads one file over its lanes in parallel. With several lanes, the final upload is created before their first byte,
 * and the server joins them when they are complete. A request to join at the end could not be repeated after a lost
 * response without creating a second copy of the file.
 */
export class Sending {
  #lanes: Lane[]
  #body: Blob
  #final: string | null | undefined
  // No bytes are sent before this promise resolves.
  #ready: Promise<void>
  #setReady = () => {}
  #reserving = false
  #attempt = 0
  #options: SendingOptions
  #transfers: Map<Lane, Transfer>
  // The waiting lanes.
  #waiting = new Map<Lane, Waiting>()
  // Whether the next offset that the server reports is where the upload resumes.
  #resuming: boolean
  #timer: ReturnType<typeof setTimeout> | undefined
  // A step that concerns all lanes and that the timer retries.
  #later: (() => void) | null = null
  #stopped = false

  /** Updated in place while uploading. */
  constructor (body: Blob, lanes: Lane[], options: SendingOptions) {
    this.#lanes = lanes
    this.#body = body
    this.#options = options
    this.#final = options.final
    this.#ready = new Promise(resolve => { this.#setReady = resolve })
    if (lanes.length > 1 && this.#final === undefined) this.#forgetEmpty()
    if (lanes.every(({ url }) => url !== null)) this.#final ??= null
    if (lanes.length === 1 || this.#final !== undefined) this.#setReady()
    this.#resuming = lanes.some(({ url }) => url !== null)
    this.#transfers = new Map(lanes.filter(lane => !isWhole(lane)).map(lane => [lane, this.#transfer(lane)]))
  }

  start (): void {
    if (this.#lanes.every(isWhole)) return this.#arrived()
    for (const transfer of this.#transfers.values()) transfer.start()
  }

  /** Retries waiting lanes at once. Lanes that move are not disturbed. */
  retryNow (): void {
    if (this.#later) return this.#later()
    for (const lane of this.#waiting.keys()) this.#transfers.get(lane)?.start()
  }

  /** Closes the connections for good. */
  stop (): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    for (const transfer of this.#transfers.values()) transfer.stop()
    for (const lane of this.#lanes) Object.assign(lane, { sent: lane.accepted, busy: false })
  }

  #transfer (lane: Lane): Transfer {
    const { endpoint, sliceSize, metadata, onUrl, onLateUrl, onAccepted, onWait, onFailed } = this.#options
    const alone = this.#lanes.length === 1
    return new Transfer(this.#body.slice(lane.start, lane.end), {
      endpoint,
      url: lane.url,
      sliceSize,
      metadata: alone ? metadata : {},
      ...!alone && { headers: { 'Upload-Concat': 'partial' }, ready: this.#ready },
      onUrl: url => {
        lane.url = url
        onUrl()
        this.#moved(lane)
        if (!alone) this.#reserve()
      },
      onLateUrl: url => onLateUrl(url, lane),
      onAccepted: accepted => {
        Object.assign(lane, { accepted, sent: accepted })
        const asked = this.#resuming
        this.#resuming = false
        onAccepted(asked)
        this.#moved(lane)
      },
      onSent: sent => {
        Object.assign(lane, { sent: Math.max(sent, lane.accepted), busy: true })
        this.#moved(lane)
      },
      onWait: (why, nextTry) => {
        this.#waiting.set(lane, { why, nextTry })
        this.#resuming = true
        Object.assign(lane, { sent: lane.accepted, busy: false })
        onWait(this.#stuck())
      },
      onDone: () => {
        this.#transfers.delete(lane)
        if (this.#lanes.every(isWhole)) this.#arrived()
        else if (this.#waiting.size > 0) onWait(this.#stuck())
      },
      onFailed: failure => onFailed(failure, lane)
    })
  }

  // The wait that ends first, if no lane moves.
  #stuck (): Waiting | null {
    if (!this.#lanes.every(lane => isWhole(lane) || this.#waiting.has(lane))) return null
    const time = ({ nextTry }: Waiting) => nextTry ?? Infinity
    return [...this.#waiting.values()].reduce((first, wait) => time(wait) < time(first) ? wait : first)
  }

  #moved (lane: Lane): void {
    this.#waiting.delete(lane)
    this.#options.onMoved()
  }

  // A final upload whose URL never arrived may wait for these lanes. Without them it is never joined.
  #forgetEmpty (): Lane[] {
    const empty = this.#lanes.filter(({ url, accepted }) => url !== null && accepted === 0)
    discardLanes(empty)
    return empty
  }

  #reserve (): void {
    const urls = this.#urls()
    if (this.#final !== undefined || this.#reserving || urls.length < this.#lanes.length) return
    this.#reserving = true
    const { endpoint, metadata, onFinal } = this.#options
    reserve(endpoint, urls, metadata, () => !this.#stopped).then(final => {
      this.#reserving = false
      if (this.#stopped) return
      if (final !== null && typeof final === 'object') return this.#tryLater(final.wait, () => this.#renewEmpty())
      this.#final = final
      onFinal(final)
      this.#setReady()
    }).catch(reportError)
  }

  #renewEmpty (): void {
    for (const lane of this.#forgetEmpty()) {
      this.#transfers.get(lane)?.stop()
      const transfer = this.#transfer(lane)
      this.#transfers.set(lane, transfer)
      transfer.start()
    }
  }

  #arrived (): void {
    this.#attempt = 0
    if (this.#lanes.length === 1) this.#options.onDone(this.#urls()[0] as string)
    else if (this.#final) this.#awaitJoined(this.#final)
    else this.#join()
  }

  #awaitJoined (final: string): void {
    const { onJoining, onFinal, onFailed } = this.#options
    onJoining()
    askJoined(final).then(async answer => {
      if (this.#stopped) return
      if (answer === true) return this.#joined(final)
      const verdict = answer === false ? null : judge(answer)
      if (verdict && 'wait' in verdict) return this.#tryLater(verdict.wait, () => this.#awaitJoined(final))
      if (verdict) {
        this.#final = null
        onFinal(null)
        return this.#join()
      }
      const gone = await findGone(this.#lanes)
      if (this.#stopped) return
      if (gone.length > 0) return onFailed({ reason: 'gone' }, null)
      this.#tryLater(null, () => this.#awaitJoined(final))
    }).catch(reportError)
  }

  #join (): void {
    const { endpoint, metadata, onJoining, onFailed } = this.#options
    onJoining()
    concatenate(endpoint, this.#urls(), metadata).then(answer => {
      if (answer.url !== null) return this.#joined(answer.url)
      if (this.#stopped) return
      const { verdict } = answer
      if ('failure' in verdict) return onFailed(verdict.failure, null)
      this.#tryLater(verdict.wait, () => this.#join())
    }).catch(reportError)
  }

  #joined (url: string): void {
    // The final upload is a copy of its parts.
    this.#urls().forEach(discard)
    this.#options.onDone(url)
  }

  // `null`: not an error.
  #tryLater (why: Wait | null, then: () => void): void {
    const delay = delayOf(this.#attempt++)
    this.#later = () => {
      clearTimeout(this.#timer)
      this.#later = null
      then()
    }
    this.#timer = setTimeout(this.#later, delay)
    if (why) this.#options.onWait({ why, nextTry: Date.now() + delay })
  }

  #urls (): string[] {
    return this.#lanes.flatMap(({ url }) => url ?? [])
  }
}
