import { DetailedError, Upload } from 'tus-js-client'
import { fingerprint } from './fingerprint.ts'
import type { Memory } from './memory.ts'
import { Speedometer } from './speed.ts'

/**
 * Where an upload is. `waiting` is between two tries, `offline` waits for the network; `paused`, `offline` and `failed`
 * can be resumed, `done` and `cancelled` are the end.
 */
export type State = 'preparing' | 'uploading' | 'waiting' | 'offline' | 'paused' | 'failed' | 'done' | 'cancelled'

/** Why an upload failed. */
export type Failure = { reason: 'network' | 'file' | 'tooLarge' } | { reason: 'refused', status: number }

/** What there is to see of an upload. */
export interface Progress {
  state: State
  size: number
  /** Bytes that were handed to the network. */
  sent: number
  /** Bytes that the server has acknowledged: these are safe. */
  accepted: number
  /** The offset that the server gave to go on from. */
  continuedAt: number | null
  /** Bytes a second. */
  speed: number | null
  url: string | null
  failure: Failure | null
}

export interface UploadTaskOptions {
  endpoint: string
  sliceSize: number
  memory: Memory
  onChange: (progress: Progress) => void
}

// Long enough for a server that restarts. The count begins again with each slice that goes through.
const retryDelays = [0, 1000, 2000, 4000, 8000, 8000, 8000, 8000]

const stopped: State[] = ['waiting', 'offline', 'paused', 'failed']

/** The upload of one file. */
export class UploadTask {
  #file: File
  #options: UploadTaskOptions
  #upload: Upload | null = null
  #fingerprint = ''
  #startedAgain = false
  #speedometer = new Speedometer()
  #progress: Progress

  constructor (file: File, options: UploadTaskOptions) {
    this.#file = file
    this.#options = options
    this.#progress = {
      state: 'preparing',
      size: file.size,
      sent: 0,
      accepted: 0,
      continuedAt: null,
      speed: null,
      url: null,
      failure: null
    }
  }

  /** Begins, or goes on with what an earlier visit has left. */
  start (): void {
    this.#change({ state: 'preparing', failure: null })
    fingerprint(this.#file).then(found => {
      // Cancelled in the meantime?
      if (this.#progress.state !== 'preparing') return
      this.#fingerprint = found
      this.#begin(this.#options.memory.get(found)?.url ?? null)
    }, () => this.#change({ state: 'failed', failure: { reason: 'file' } }))
  }

  pause (): void {
    this.#upload?.abort().catch(() => {})
    this.#change({ state: 'paused' })
  }

  resume (): void {
    if (!this.#upload) return this.start()
    this.#speedometer.reset()
    this.#change({ state: 'uploading', continuedAt: null, failure: null })
    this.#upload.start()
  }

  /** Ends the upload and deletes what the server has of it. */
  cancel (): void {
    this.#change({ state: 'cancelled', failure: null })
    this.#options.memory.delete(this.#fingerprint)
    // When the server cannot be told, the upload expires there.
    this.#upload?.abort(true).catch(() => {})
  }

  /** Tells that the network is back. */
  online (): void {
    if (this.#progress.state === 'offline') this.resume()
  }

  #begin (url: string | null): void {
    const { endpoint, sliceSize, memory } = this.#options
    const upload = new Upload(this.#file, {
      // With an endpoint tus-js-client begins a new upload when the server answers the question for the offset with an
      // error, 503 for one. So it has one only for as long as there is no upload yet.
      ...url ? { uploadUrl: url } : { endpoint },
      chunkSize: sliceSize,
      retryDelays,
      metadata: { filename: this.#file.name, ...this.#file.type && { filetype: this.#file.type } },
      storeFingerprintForResuming: false,
      onUploadUrlAvailable: () => {
        if (!upload.url) return
        upload.options.endpoint = null
        memory.set(this.#fingerprint, { url: upload.url, name: this.#file.name, savedAt: Date.now() })
        this.#change({ url: upload.url })
      },
      onAfterResponse: (request, response) => {
        const offset = response.getHeader('Upload-Offset')
        if (request.getMethod() !== 'HEAD' || !offset) return
        this.#speedometer.reset()
        const accepted = Number(offset)
        this.#change({ state: 'uploading', accepted, sent: accepted, continuedAt: accepted })
      },
      onProgress: sent => {
        this.#speedometer.update(sent, performance.now())
        this.#change({ state: 'uploading', sent, speed: this.#speedometer.speed })
      },
      onChunkComplete: (_length, accepted) => this.#change({ accepted }),
      onShouldRetry: error => {
        const again = navigator.onLine && isTemporary(statusOf(error))
        if (again) {
          this.#change({ state: 'waiting' })
          this.#checkFile()
        }
        return again
      },
      onSuccess: () => {
        memory.delete(this.#fingerprint)
        this.#change({ state: 'done', sent: this.#file.size, accepted: this.#file.size, speed: null })
      },
      onError: error => this.#fail(error)
    })
    this.#upload = upload
    this.#change({ state: 'uploading', url, continuedAt: null, speed: null })
    upload.start()
  }

  #fail (error: Error): void {
    const status = statusOf(error)
    if ((status === 404 || status === 410) && this.#progress.url && !this.#startedAgain) {
      // The server has deleted the upload, as it does with those that are left alone for long.
      this.#startedAgain = true
      this.#options.memory.delete(this.#fingerprint)
      this.#change({ sent: 0, accepted: 0 })
      this.#begin(null)
    } else if (status === 413) {
      this.#change({ state: 'failed', failure: { reason: 'tooLarge' } })
    } else if (status > 0 && !isTemporary(status)) {
      this.#change({ state: 'failed', failure: { reason: 'refused', status } })
    } else {
      this.#change(navigator.onLine ? { state: 'failed', failure: { reason: 'network' } } : { state: 'offline' })
      this.#checkFile()
    }
  }

  // A browser reports a file that has changed on the disk as an error of the network, and no other try can help.
  #checkFile (): void {
    this.#file.slice(0, 1).arrayBuffer().catch(() => {
      this.#upload?.abort().catch(() => {})
      this.#change({ state: 'failed', failure: { reason: 'file' } })
    })
  }

  #change (change: Partial<Progress>): void {
    // What comes in late changes nothing any more, but for the URL.
    if (this.#progress.state === 'cancelled' || this.#progress.state === 'done') return
    const progress = { ...this.#progress, ...change }
    // What was on the way may not have arrived.
    if (stopped.includes(progress.state)) Object.assign(progress, { sent: progress.accepted, speed: null })
    this.#progress = progress
    this.#options.onChange(progress)
  }
}

/** Whether it may go through at a later time: no answer at all, somebody else writes, too many requests, or 5xx. */
function isTemporary (status: number): boolean {
  return status === 0 || [409, 423, 429].includes(status) || status >= 500
}

/** The status of the answer that an error is about; 0: there was none. */
function statusOf (error: Error): number {
  return error instanceof DetailedError ? error.originalResponse?.getStatus() ?? 0 : 0
}
