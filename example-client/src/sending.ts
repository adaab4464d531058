import { askJoined, concatenate, reserve } from './concatenate.ts'
import { discard, discardLanes } from './deletions.ts'
import { isWhole } from './lanes.ts'
import type { Lane } from './lanes.ts'
import { delayOf, judge } from './retry.ts'
import type { Failure, Wait } from './retry.ts'
import { findGone } from './server.ts'
import { Transfer } from './transfer.ts'

/** Why a lane does not move, and until when, in ms since 1970; `null`: until the network is back. */
interface Waiting {
  why: Wait
  nextTry: number | null
}

export interface SendingOptions {
  endpoint: string
  /** The most bytes in one request. */
  sliceSize: number
  /** What the server is told about the file. */
  metadata: Record<string, string>
  /** What several lanes are joined to: its URL, or `null` where the server makes it only at the end. */
  final: string | null | undefined
  onFinal: (final: string | null) => void
  /** A lane has an upload on the server. */
  onUrl: () => void
  /** The server has made an upload for a lane that was stopped in the meantime, or tried again. */
  onLateUrl: (url: string, lane: Lane) => void
  /** The server has told how many bytes of a lane it has. `asked`: after a question, before the first byte is sent. */
  onAccepted: (asked: boolean) => void
  /** Something was sent, or has arrived. */
  onMoved: () => void
  /** A lane waits; `wait`, once none of them moves any more. */
  onWait: (wait: Waiting | null) => void
  /** Every byte is there, and the server joins the lanes. */
  onJoining: () => void
  /** The server has the whole file at a URL; also after `stop`, where it was joining the lanes. */
  onDone: (url: string) => void
  /** Nothing goes on; `lane` is the one that the server has refused. */
  onFailed: (failure: Failure, lane: Lane | null) => void
}

/**
 * Sends one file over its lanes, all at the same time. Of several, what they are joined to is made before they get
 * their first byte, and the server joins them: a request to join whose answer was lost could not be repeated without
 * a second copy of the file.
 */
export class Sending {
  #lanes: Lane[]
  #body: Blob
  #final: string | null | undefined
  // No byte is sent before.
  #ready: Promise<void>
  #setReady = () => {}
  #reserving = false
  #attempt = 0
  #options: SendingOptions
  #transfers: Map<Lane, Transfer>
  // The lanes that do not move, and until when.
  #waiting = new Map<Lane, Waiting>()
  // Whether the next offset that the server tells is the one it goes on from.
  #resuming: boolean
  #timer: ReturnType<typeof setTimeout> | undefined
  // What concerns all lanes and is tried again at the end of the timer.
  #later: (() => void) | null = null
  #stopped = false

  /** Changes the lanes while they go. */
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

  /** Does not wait for the next try; what moves is not disturbed. */
  retryNow (): void {
    if (this.#later) return this.#later()
    for (const lane of this.#waiting.keys()) this.#transfers.get(lane)?.start()
  }

  /** Lets go of the connections for good. */
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

  // What is waited for first, once no lane moves.
  #stuck (): Waiting | null {
    if (!this.#lanes.every(lane => isWhole(lane) || this.#waiting.has(lane))) return null
    const time = ({ nextTry }: Waiting) => nextTry ?? Infinity
    return [...this.#waiting.values()].reduce((first, wait) => time(wait) < time(first) ? wait : first)
  }

  #moved (lane: Lane): void {
    this.#waiting.delete(lane)
    this.#options.onMoved()
  }

  // One that was made and whose URL never came may wait for these lanes: without them it is never joined.
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
    // The whole is a copy of its parts.
    this.#urls().forEach(discard)
    this.#options.onDone(url)
  }

  // `null`: nothing is wrong.
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
