import { DetailedError, Upload } from 'tus-js-client'
import type { FileSource } from 'tus-js-client'
import { delayOf, isAtHome, judge, patienceAfter } from './retry.ts'
import type { Failure, Wait } from './retry.ts'

export interface TransferOptions {
  endpoint: string
  /** The upload to go on with. */
  url: string | null
  /** The most bytes in one request. */
  sliceSize: number
  metadata: Record<string, string>
  headers?: Record<string, string>
  /** No byte is sent before. */
  ready?: Promise<void>
  onUrl: (url: string) => void
  /** The server has created an upload for an attempt that was stopped. It has no bytes; only this URL leads to it. */
  onLateUrl?: (url: string) => void
  /** The server has told how many bytes it has. */
  onAccepted: (bytes: number) => void
  /** The browser has taken so many bytes from the file to send them. */
  onSent: (bytes: number) => void
  /** Nothing goes on until another try at a time, in ms since 1970; `null`: when the network is back. */
  onWait: (why: Wait, nextTry: number | null) => void
  onDone: () => void
  onFailed: (failure: Failure) => void
}

// Creations whose answer no try waits for any more, and for how long they are kept, in ms. Each holds a connection, of
// which a browser has six for a server: those that come when there are as many as may be are cut short.
const kept = new Set<Upload>()
const mostKept = 2
const creationPatience = 300_000

/** Bytes that are not all there yet: a source of tus-js-client of its own. */
export interface GrowingSource {
  slice: (start: number, end: number) => Promise<{ value: Blob, done: boolean }>
}

/**
 * Sends one Blob, or one source that grows, to one tus upload, and does not give up: it asks for the offset and goes on
 * after a lost network, a server that is away or answers with an error, and a connection that has gone silent.
 */
export class Transfer {
  #source: Blob | GrowingSource
  #options: TransferOptions
  #url: string | null
  #upload: Upload | null = null
  // Counts the tries, so that nothing late of an earlier one can be mistaken for news.
  #turn = 0
  // Whether the server has been asked for a new upload, and has not answered.
  #creating = false
  #attempt = 0
  #stalls = 0
  #sentAt = -1
  #signAt = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #watch: ReturnType<typeof setInterval> | undefined

  constructor (source: Blob | GrowingSource, options: TransferOptions) {
    this.#source = source
    this.#options = options
    this.#url = options.url
  }

  /** Begins, or tries again now. */
  start (): void {
    this.stop()
    const { endpoint, sliceSize, metadata, headers, ready } = this.#options
    const { onUrl, onLateUrl, onAccepted, onSent, onDone, onFailed } = this.#options
    const url = this.#url
    const turn = this.#turn
    const current = this.#current()
    const failed = current((error: Error) => this.#fail(error))
    const source = this.#source
    const upload = new Upload(source as Blob, {
      ...!(source instanceof Blob) && {
        uploadLengthDeferred: true,
        fileReader: { openFile: () => Promise.resolve(this.#open(source)) }
      },
      // Never both: with an endpoint tus-js-client begins a new upload when the question for the offset is answered
      // with an error, 503 for one.
      ...url === null ? { endpoint } : { uploadUrl: url },
      chunkSize: sliceSize,
      metadata,
      headers: headers ?? {},
      retryDelays: null,
      storeFingerprintForResuming: false,
      // tus-js-client forgets that it was aborted where that happens before it has opened the file.
      onBeforeRequest: async request => {
        if (this.#turn === turn) this.#creating = request.getMethod() === 'POST'
        if (this.#turn === turn && ready && request.getMethod() === 'PATCH') {
          // Nothing is silent that was not asked.
          this.#signAt = Infinity
          await ready
          if (this.#turn === turn) this.#signAt = Date.now()
        }
        if (this.#turn !== turn) await new Promise(() => {})
      },
      onUploadUrlAvailable: () => {
        if (!upload.url || upload.url === this.#url) return
        kept.delete(upload)
        const isHome = isAtHome(upload.url, new URL(endpoint, location.href).href)
        if (this.#turn !== turn) return isHome ? onLateUrl?.(upload.url) : undefined
        this.#creating = false
        if (!isHome) {
          this.stop()
          return onFailed({ reason: 'foreign' })
        }
        this.#url = upload.url
        onUrl(upload.url)
      },
      onAfterResponse: current((request, response) => {
        const offset = response.getHeader('Upload-Offset')
        if (request.getMethod() === 'HEAD' && offset) this.#accept(Number(offset))
      }),
      onProgress: current(bytes => {
        if (bytes === this.#sentAt) return
        this.#sentAt = bytes
        this.#signAt = Date.now()
        onSent(bytes)
      }),
      onChunkComplete: current((_length, accepted) => this.#accept(accepted)),
      onSuccess: current(() => {
        this.stop()
        if (source instanceof Blob) onAccepted(source.size)
        onDone()
      }),
      onError: error => {
        kept.delete(upload)
        failed(error)
      }
    })
    this.#upload = upload
    this.#signAt = Date.now()
    this.#watch = setInterval(() => this.#checkStall(), 1000)
    upload.start()
  }

  /** Lets go of the connection. The server keeps what it has. */
  stop (): void {
    clearTimeout(this.#timer)
    clearInterval(this.#watch)
    const upload = this.#upload
    const abort = () => { upload?.abort().catch(() => {}) }
    // An upload that was made, and whose URL never came, could not be deleted.
    if (upload && this.#creating && kept.size < mostKept) {
      kept.add(upload)
      setTimeout(() => { if (kept.delete(upload)) abort() }, creationPatience)
    } else {
      abort()
    }
    this.#creating = false
    this.#upload = null
    this.#turn++
  }

  // What a try that has ended still waits for never comes: it would be sent all the same.
  #open (source: GrowingSource): FileSource {
    const turn = this.#turn
    const slice: GrowingSource['slice'] = async (start, end) => {
      const slice = await source.slice(start, end)
      return this.#turn === turn ? slice : new Promise(() => {})
    }
    // The types of tus-js-client know no source without a size.
    return { size: null as unknown as number, slice, close () {} }
  }

  // Makes callbacks that do nothing any more once this try has ended.
  #current () {
    const turn = this.#turn
    return <Args extends unknown[]>(then: (...args: Args) => void) => (...args: Args): void => {
      if (this.#turn === turn) then(...args)
    }
  }

  #accept (bytes: number): void {
    this.#attempt = 0
    this.#stalls = 0
    this.#sentAt = bytes
    this.#signAt = Date.now()
    this.#options.onAccepted(bytes)
  }

  // XMLHttpRequest has no timeout for a server that takes the connection and then says nothing.
  #checkStall (): void {
    if (Date.now() - this.#signAt < patienceAfter(this.#stalls)) return
    this.#stalls++
    this.stop()
    this.#options.onWait('stalled', Date.now())
    this.start()
  }

  #fail (error: Error): void {
    // Before the rest: stopping aborts the request, which takes the status away.
    const verdict = judge(statusOf(error))
    this.stop()
    if ('failure' in verdict) return this.#options.onFailed(verdict.failure)
    // A browser reports a file that has changed on the disk as an error of the network, and no other try can help.
    const current = this.#current()
    const readable = this.#source instanceof Blob ? this.#source.slice(0, 1).arrayBuffer() : Promise.resolve()
    readable.then(
      current(() => this.#wait(verdict.wait)),
      current(() => this.#options.onFailed({ reason: 'file' }))
    )
  }

  #wait (why: Wait): void {
    if (!navigator.onLine) return this.#options.onWait('offline', null)
    const delay = delayOf(this.#attempt++)
    this.#timer = setTimeout(() => this.start(), delay)
    this.#options.onWait(why, Date.now() + delay)
  }
}

/** The status of the answer that an error is about; 0: there was none. */
function statusOf (error: Error): number {
  return error instanceof DetailedError ? error.originalResponse?.getStatus() ?? 0 : 0
}
