import { concatenate } from './concatenate.ts'
import { discard } from './deletions.ts'
import { isWhole } from './lanes.ts'
import type { Lane } from './lanes.ts'
import { delayOf, judge } from './retry.ts'
import type { Failure, Wait } from './retry.ts'
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

/** Sends one file over its lanes, all at the same time, and joins them at the end if there are several. */
export class Sending {
  #lanes: Lane[]
  #options: SendingOptions
  #transfers: Map<Lane, Transfer>
  // The lanes that do not move, and until when.
  #waiting = new Map<Lane, Waiting>()
  // Whether the next offset that the server tells is the one it goes on from.
  #resuming: boolean
  #timer: ReturnType<typeof setTimeout> | undefined
  // Asks again to join, while that is waited for.
  #joinLater: (() => void) | null = null
  #stopped = false

  /** Changes the lanes while they go. */
  constructor (body: Blob, lanes: Lane[], options: SendingOptions) {
    this.#lanes = lanes
    this.#options = options
    this.#resuming = lanes.some(({ url }) => url !== null)
    this.#transfers = new Map(lanes.filter(lane => !isWhole(lane)).map(lane => [lane, this.#transfer(lane, body)]))
  }

  start (): void {
    if (this.#lanes.every(isWhole)) return this.#arrived()
    for (const transfer of this.#transfers.values()) transfer.start()
  }

  /** Does not wait for the next try; what moves is not disturbed. */
  retryNow (): void {
    if (this.#joinLater) return this.#joinLater()
    for (const lane of this.#waiting.keys()) this.#transfers.get(lane)?.start()
  }

  /** Lets go of the connections for good. */
  stop (): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    for (const transfer of this.#transfers.values()) transfer.stop()
    for (const lane of this.#lanes) Object.assign(lane, { sent: lane.accepted, busy: false })
  }

  #transfer (lane: Lane, body: Blob): Transfer {
    const { endpoint, sliceSize, metadata, onUrl, onLateUrl, onAccepted, onWait, onFailed } = this.#options
    const alone = this.#lanes.length === 1
    return new Transfer(body.slice(lane.start, lane.end), {
      endpoint,
      url: lane.url,
      sliceSize,
      metadata: alone ? metadata : {},
      ...!alone && { headers: { 'Upload-Concat': 'partial' } },
      onUrl: url => {
        lane.url = url
        onUrl()
        this.#moved(lane)
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

  #arrived (): void {
    const urls = this.#lanes.flatMap(({ url }) => url ?? [])
    if (urls.length === 1) this.#options.onDone(urls[0] as string)
    else this.#join(urls, 0)
  }

  #join (urls: string[], attempt: number): void {
    clearTimeout(this.#timer)
    this.#joinLater = null
    const { endpoint, metadata, onJoining, onWait, onDone, onFailed } = this.#options
    onJoining()
    concatenate(endpoint, urls, metadata).then(({ status, url }) => {
      if (url) {
        // The whole is a copy of its parts.
        urls.forEach(discard)
        return onDone(url)
      }
      if (this.#stopped) return
      const verdict = judge(status)
      if ('failure' in verdict) return onFailed(verdict.failure, null)
      const delay = delayOf(attempt)
      this.#joinLater = () => this.#join(urls, attempt + 1)
      this.#timer = setTimeout(this.#joinLater, delay)
      onWait({ why: verdict.wait, nextTry: Date.now() + delay })
    }).catch(reportError)
  }
}
