import { errors } from '../errors.ts'
import type { Upload } from '../types.ts'

/** How often a followed upload is looked at when nobody tells of it, in ms: another process may write to it. */
const POLL_MS = 500

/** How soon after the last time it is looked at again when its writer tells of bytes, in ms. */
const REST_MS = 50

/** What following needs of the registration. */
export interface Source {
  /** Rejects with FST_TUS_NOT_FOUND or FST_TUS_GONE where there is no such upload any more. */
  find: (id: string) => Promise<Upload>
  /** Bytes from `start` to `end`, both included. */
  read: (id: string, range: { start: number, end: number }) => Promise<Buffer>
  shutdown: AbortSignal
}

/** Somebody's interest in an upload that changes. */
export interface Following {
  /** The upload as it was last seen. */
  readonly upload: Upload
  /** Why there will be no more of it: it is deleted or expired, or the app closes. */
  readonly error: Error | undefined
  /** Its bytes from `start` up to and without `end`, which must be stored. Readers at one place share one read. */
  read (start: number, end: number): Promise<Buffer>
  stop (): void
}

/**
 * Who follows which uploads. All that follow one share one look at it, so that to its writer it is all the same how
 * many they are; what counts as stored is for the store to say, be the writer in this process or in another.
 */
export class Followers {
  readonly #source: Source
  readonly #watches = new Map<string, Watch>()

  constructor (source: Source) {
    this.#source = source
    source.shutdown.addEventListener('abort', () => {
      for (const watch of this.#watches.values()) watch.end(source.shutdown.reason as Error)
    })
  }

  /** Tells that an upload may have changed. Costs one look into a map where nobody follows it. */
  changed (id: string): void {
    this.#watches.get(id)?.hint()
  }

  /**
   * Follows an upload until `stop`, or until it has an `error`.
   * @param onChange - called whenever there is news
   * @throws FST_TUS_SHUTDOWN
   */
  follow (upload: Upload, onChange: () => void): Following {
    if (this.#source.shutdown.aborted) throw new errors.Shutdown()
    const watch = this.#watches.get(upload.id) ?? new Watch(this.#source, upload)
    this.#watches.set(upload.id, watch)
    watch.listeners.add(onChange)
    return {
      get upload () { return watch.upload },
      get error () { return watch.error },
      read: (start, end) => watch.read(start, end),
      stop: () => {
        watch.listeners.delete(onChange)
        if (watch.listeners.size > 0) return
        watch.stop()
        this.#watches.delete(upload.id)
      }
    }
  }
}

/** One upload that somebody follows. */
class Watch {
  upload: Upload
  error: Error | undefined
  readonly listeners = new Set<() => void>()
  readonly #source: Source
  #timer: NodeJS.Timeout | undefined
  #lookedAt = performance.now()
  #isLooking = false
  #isHinted = false
  #isOver = false
  #shared: { start: number, end: number, bytes: Promise<Buffer> } | undefined

  constructor (source: Source, upload: Upload) {
    this.#source = source
    this.upload = upload
    this.#schedule()
  }

  hint (): void {
    if (this.#isHinted) return
    this.#isHinted = true
    this.#schedule()
  }

  /** Ends the watch for all who follow. */
  end (reason: Error): void {
    this.error = reason
    this.stop()
    this.#tell()
  }

  stop (): void {
    this.#isOver = true
    clearTimeout(this.#timer)
  }

  read (start: number, end: number): Promise<Buffer> {
    if (this.#shared?.start !== start || this.#shared.end !== end) {
      const bytes = this.#source.read(this.upload.id, { start, end: end - 1 })
      this.#shared = { start, end, bytes }
      // Who asks again after a failure must not be told of it for ever.
      bytes.catch(() => { this.#shared = undefined })
      return bytes
    }
    return this.#shared.bytes
  }

  #schedule (): void {
    clearTimeout(this.#timer)
    if (this.#isLooking || this.#isOver) return
    const rest = this.#isHinted ? REST_MS : POLL_MS
    this.#timer = setTimeout(() => this.#look(), this.#lookedAt + rest - performance.now()).unref()
  }

  #look (): void {
    this.#isLooking = true
    this.#isHinted = false
    this.#lookedAt = performance.now()
    this.#source.find(this.upload.id).then((upload) => this.#found(upload), (error: Error) => {
      // A store that fails now may not do so the next time.
      if (error instanceof errors.NotFound || error instanceof errors.Gone) this.end(error)
      this.#found(this.upload)
    })
  }

  #found (upload: Upload): void {
    const { offset, size, finished } = this.upload
    this.upload = upload
    this.#isLooking = false
    // Other bytes may follow where some were taken back.
    if (upload.offset < offset) this.#shared = undefined
    this.#schedule()
    if (upload.offset !== offset || upload.size !== size || upload.finished !== finished) this.#tell()
  }

  #tell (): void {
    for (const listener of this.listeners) listener()
  }
}
