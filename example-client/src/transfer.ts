import { DetailedError, Upload } from 'tus-js-client'
import type { FileSource } from 'tus-js-client'
import { delayOf, isAtHome, judge, patienceAfter } from './retry.ts'
import type { Failure, Wait } from './retry.ts'

export interface TransferOptions {
  endpoint: string
  /** The URL of the upload to resume. */
  url: string | null
  /** The largest request body, in bytes. */
  sliceSize: number
  metadata: Record<string, string>
  headers?: Record<string, string>
  /** No bytes are sent before it resolves. */
  ready?: Promise<void>
  onUrl: (url: string) => void
  /** The server has created an upload for an attempt that was stopped. It has no bytes; only this URL leads to it. */
  onLateUrl?: (url: string) => void
  /** The server has reported its offset. */
  onAccepted: (bytes: number) => void
  /** The number of bytes that the browser has taken from the file to send. */
  onSent: (bytes: number) => void
  /** The transfer waits until `nextTry`, in ms since 1970; `null`: until the network is back. */
  onWait: (why: Wait, nextTry: number | null) => void
  onDone: () => void
  onFailed: (failure: Failure) => void
}

// Pending creations of attempts that were stopped, and how long they are kept, in ms. Each holds one of the six
// connections of a browser to a server, so further ones are aborted.
const kept = new Set<Upload>()
const mostKept = 2
const creationPatience = 300_000

/** A source whose bytes are not all available yet, for a custom file reader of tus-js-client. */
export interface GrowingSource {
  slice: (start: number, end: number) => Promise<{ value: Blob, done: boolean }>
}

/**
 * Sends one Blob or growing source to one tus upload and never gives up. It asks for the offset and resumes after a
 * lost network, an unreachable server, an error response or a silent connection.
 */
export class Transfer {
  #source: Blob | GrowingSource
  #options: TransferOptions
  #url: string | null
  #upload: Upload | null = null
  // The number of the attempt. Late callbacks of earlier attempts are ignored.
  #turn = 0
  // Whether a creation is waiting for its response.
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

  /** Starts or retries now. */
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
      // Never both: with an endpoint, tus-js-client creates a new upload if the HEAD for the offset gets an error
      // response such as 503.
      ...url === null ? { endpoint } : { uploadUrl: url },
      chunkSize: sliceSize,
      metadata,
      headers: headers ?? {},
      retryDelays: null,
      storeFingerprintForResuming: false,
      // tus-js-client ignores an abort that comes before it has opened the file.
      onBeforeRequest: async request => {
        if (this.#turn === turn) this.#creating = request.getMethod() === 'POST'
        if (this.#turn === turn && ready && request.getMethod() === 'PATCH') {
          // Not a silent connection, because there is no request yet.
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

  /** Closes the connection. The server keeps the stored bytes. */
  stop (): void {
    clearTimeout(this.#timer)
    clearInterval(this.#watch)
    const upload = this.#upload
    const abort = () => { upload?.abort().catch(() => {}) }
    // An upload whose URL never arrives could not be deleted, so a pending creation is kept.
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

  // A slice that an ended attempt waits for never resolves. Otherwise tus-js-client would still send it.
  #open (source: GrowingSource): FileSource {
    const turn = this.#turn
    const slice: GrowingSource['slice'] = async (start, end) => {
      const slice = await source.slice(start, end)
      return this.#turn === turn ? slice : new Promise(() => {})
    }
    // The types of tus-js-client do not allow a source without a size.
    return { size: null as unknown as number, slice, close () {} }
  }

  // Wraps callbacks so that they do nothing after this attempt has ended.
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

  // XMLHttpRequest has no timeout for a server that accepts the connection and then stays silent.
  #checkStall (): void {
    if (Date.now() - this.#signAt < patienceAfter(this.#stalls)) return
    this.#stalls++
    this.stop()
    this.#options.onWait('stalled', Date.now())
    this.start()
  }

  #fail (error: Error): void {
    // First, because stopping aborts the request and clears its status.
    const verdict = judge(statusOf(error))
    this.stop()
    if ('failure' in verdict) return this.#options.onFailed(verdict.failure)
    // Browsers report a file that has changed on the disk as a network error. A retry cannot help then.
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

/** The status of the response that caused an error; 0: there was none. */
function statusOf (error: Error): number {
  return error instanceof DetailedError ? error.originalResponse?.getStatus() ?? 0 : 0
}
