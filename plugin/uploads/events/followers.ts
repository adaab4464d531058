import { errors } from '../../errors.ts'
import type { Locker, Upload } from '../../types.ts'
import type { EventPublisher, UploadEventName } from './events.ts'
import { isReferenceTo, referenceTo } from '../state.ts'

/** The poll interval without notifications, in ms: another process may write to the upload. */
const POLL_MS = 500

/** The poll interval if other processes announce their changes, in ms. */
const SLOW_POLL_MS = 10_000

/** The minimum time between two polls, in ms. */
const REST_MS = 50

/** The parts of the registration that followers need. */
export interface Source {
  /** Rejects with FST_TUS_NOT_FOUND or FST_TUS_GONE if the upload no longer exists. */
  find: (upload: Upload) => Promise<Upload>
  /** The bytes from `start` to `end`, both included. */
  read: (upload: Upload, range: { start: number, end: number }) => Promise<Buffer>
  shutdown: AbortSignal
}

/** The state of an upload, as one follower sees it. */
export interface Following {
  /** The upload as it was last seen. */
  readonly upload: Upload
  /** Set once the upload can no longer grow: it was deleted, has expired, or the app is closing. */
  readonly error: Error | undefined
  /**
   * Its bytes from `start` up to but not including `end`; they must be stored. Readers at the same position share one
   * read.
   */
  read (start: number, end: number): Promise<Buffer>
  stop (): void
}

/** After these events, a followed upload is polled. */
const changes = [
  'stored', 'appendEnded', 'completed', 'finished', 'refused', 'terminated', 'expired', 'discarded'
] as const satisfies readonly UploadEventName[]

/**
 * Followers of growing uploads. All followers of an upload share one poll, so that their number does not slow down the
 * writer. The store is polled, because the writer may be in another process.
 */
export class Followers {
  readonly #source: Source
  readonly #pollMs: number
  readonly #watches = new Map<string, Watch>()

  constructor (source: Source, events: EventPublisher, locker: Locker) {
    this.#source = source
    this.#pollMs = locker.onChanged === undefined ? POLL_MS : SLOW_POLL_MS
    for (const name of changes) {
      events.on(name, ({ upload: { id } }) => {
        this.#watches.get(id)?.hint()
        locker.changed?.(id)
      })
    }
    const stopListening = locker.onChanged?.((id) => this.#watches.get(id)?.hint())
    source.shutdown.addEventListener('abort', () => {
      stopListening?.()
      for (const watch of this.#watches.values()) watch.end(source.shutdown.reason as Error)
    })
  }

  /**
   * Follows an upload until `stop`, or until it has an `error`.
   * @param onChange - called after each change
   * @throws FST_TUS_SHUTDOWN
   */
  follow (upload: Upload, onChange: () => void): Following {
    if (this.#source.shutdown.aborted) throw new errors.Shutdown()
    const watch = this.#watchOf(upload)
    watch.listeners.add(onChange)
    return {
      get upload () { return watch.upload },
      get error () { return watch.error },
      read: (start, end) => watch.read(start, end),
      stop: () => {
        watch.listeners.delete(onChange)
        if (watch.listeners.size > 0) return
        watch.stop()
        if (this.#watches.get(upload.id) === watch) this.#watches.delete(upload.id)
      }
    }
  }

  #watchOf (upload: Upload): Watch {
    const watch = this.#watches.get(upload.id)
    if (watch !== undefined && isReferenceTo(referenceTo(watch.upload), upload)) return watch
    // The upload with this id was deleted, and the id is used again.
    watch?.end(new errors.NotFound())
    const created = new Watch(this.#source, upload, this.#pollMs)
    this.#watches.set(upload.id, created)
    return created
  }
}

/** One upload that has followers. */
class Watch {
  upload: Upload
  error: Error | undefined
  readonly listeners = new Set<() => void>()
  readonly #source: Source
  readonly #pollMs: number
  #timer: NodeJS.Timeout | undefined
  #lookedAt = performance.now()
  #isLooking = false
  #isHinted = false
  #isOver = false
  #shared: { start: number, end: number, bytes: Promise<Buffer> } | undefined

  constructor (source: Source, upload: Upload, pollMs: number) {
    this.#source = source
    this.#pollMs = pollMs
    this.upload = upload
    this.#schedule()
  }

  /** The upload may have changed. */
  hint (): void {
    if (this.#isHinted) return
    this.#isHinted = true
    this.#schedule()
  }

  /** Ends the watch for all followers. */
  end (reason: Error): void {
    this.error = reason
    this.stop()
    this.#notify()
  }

  stop (): void {
    this.#isOver = true
    clearTimeout(this.#timer)
  }

  read (start: number, end: number): Promise<Buffer> {
    if (this.#shared?.start !== start || this.#shared.end !== end) {
      const bytes = this.#source.read(this.upload, { start, end: end - 1 })
      this.#shared = { start, end, bytes }
      // The next reader must not share a failure.
      bytes.catch(() => { this.#shared = undefined })
      return bytes
    }
    return this.#shared.bytes
  }

  #schedule (): void {
    clearTimeout(this.#timer)
    if (this.#isLooking || this.#isOver) return
    const rest = this.#isHinted ? REST_MS : this.#pollMs
    this.#timer = setTimeout(() => this.#look(), this.#lookedAt + rest - performance.now()).unref()
  }

  #look (): void {
    this.#isLooking = true
    this.#isHinted = false
    this.#lookedAt = performance.now()
    this.#source.find(this.upload).then((upload) => this.#found(upload), (error: Error) => {
      // A store that fails now may work the next time.
      if (error instanceof errors.NotFound || error instanceof errors.Gone) this.end(error)
      this.#found(this.upload)
    })
  }

  #found (upload: Upload): void {
    const { offset, size, finished } = this.upload
    this.upload = upload
    this.#isLooking = false
    // After a rollback, other bytes may follow.
    if (upload.offset < offset) this.#shared = undefined
    this.#schedule()
    if (upload.offset !== offset || upload.size !== size || upload.finished !== finished) this.#notify()
  }

  #notify (): void {
    for (const listener of this.listeners) listener()
  }
}
