import { concatenate } from './concatenate.ts'
import { discard } from './deletions.ts'
import { isWhole } from './lanes.ts'
import type { Lane } from './lanes.ts'
import { delayOf, judge } from './retry.ts'
import type { Failure, Wait } from './retry.ts'
import { Transfer } from './transfer.ts'

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
  onWait: (wait: { why: Wait, nextTry: number | null } | null) => void
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
  #transfers: Transfer[]
  #waiting = new Set<Lane>()
  // Whether the next offset that the server tells is the one it goes on from.
  #resuming: boolean
  #timer: ReturnType<typeof setTimeout> | undefined
  #stopped = false

  /** Changes the lanes while they go. */
  constructor (body: Blob, lanes: Lane[], options: SendingOptions) {
    this.#lanes = lanes
    this.#options = options
    this.#resuming = lanes.some(({ url }) => url !== null)
    this.#transfers = lanes.filter(lane => !isWhole(lane)).map(lane => this.#transfer(lane, body))
  }

  /** Begins, or tries again now. */
  start (): void {
    if (this.#lanes.every(isWhole)) return this.#arrived()
    for (const transfer of this.#transfers) transfer.start()
  }

  /** Lets go of the connections for good. */
  stop (): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    for (const transfer of this.#transfers) transfer.stop()
    for (const lane of this.#lanes) Object.assign(lane, { sent: lane.accepted, busy: false })
  }

  #transfer (lane: Lane, body: Blob): Transfer {
    const { endpoint, sliceSize, metadata, onUrl, onLateUrl, onAccepted, onWait, onFailed } = this.#options
    const alone = this.#lanes.length === 1
    const transfer = new Transfer(body.slice(lane.start, lane.end), {
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
        this.#waiting.add(lane)
        this.#resuming = true
        Object.assign(lane, { sent: lane.accepted, busy: false })
        const stuck = this.#lanes.every(lane => isWhole(lane) || this.#waiting.has(lane))
        onWait(stuck ? { why, nextTry } : null)
      },
      onDone: () => {
        this.#transfers = this.#transfers.filter(other => other !== transfer)
        if (this.#lanes.every(isWhole)) this.#arrived()
      },
      onFailed: failure => onFailed(failure, lane)
    })
    return transfer
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
      this.#timer = setTimeout(() => this.#join(urls, attempt + 1), delay)
      onWait({ why: verdict.wait, nextTry: Date.now() + delay })
    }).catch(reportError)
  }
}
