import { type Channel, channel } from 'node:diagnostics_channel'
import type { FastifyBaseLogger, FastifyRequest } from 'fastify'
import type { Upload } from '../../types.ts'

/** What happened to an upload, and the request that caused it; `null` for a sweep. */
export interface UploadEvent {
  upload: Upload
  request: FastifyRequest | null
}

/** What happened to the body of a request. */
export interface BodyEvent extends UploadEvent {
  request: FastifyRequest
}

/** The offset of an upload has moved, and survives the end of the process. */
export interface StoredEvent extends BodyEvent {
  /** In bytes. */
  offset: number
}

export interface FailedEvent extends UploadEvent {
  error: Error
}

/** A body has ended. `upload` is as it was before. */
export interface AppendEndedEvent extends BodyEvent {
  /** How many bytes of the body arrived. */
  received: number
  /** The offset afterwards, in bytes; `undefined` if it is unknown. */
  offset: number | undefined
  /** In ms. */
  duration: number
  /** The reason why not all of the body counts. */
  error: Error | undefined
}

export interface LockWaitedEvent {
  uploadId: string
  /** How long the request waited, in ms. */
  duration: number
  /** The reason why it did not get the lock. */
  error: Error | undefined
}

export interface SweptEvent {
  /** Expired uploads that were deleted. */
  expired: number
  orphans: number
  /** In ms. */
  duration: number
}

/** The lifecycle of uploads: each step is published once, by the operation that takes it. */
export interface UploadEvents {
  created: UploadEvent
  /** A sweep found an upload that is not complete. */
  found: UploadEvent
  appendStarted: BodyEvent
  stored: StoredEvent
  appendEnded: AppendEndedEvent
  /** A later request has ended the body of this one. */
  displaced: BodyEvent
  /** All bytes are stored. The finish hook runs next. */
  completed: UploadEvent
  finished: UploadEvent
  /** The finish hook has refused the upload for good. */
  refused: FailedEvent
  /** The finish hook has failed; it will be called again. */
  finishFailed: FailedEvent
  terminated: UploadEvent
  expired: UploadEvent
  /** An upload that was refused, or a final upload whose part was deleted, has been deleted. */
  discarded: UploadEvent
  lockWaited: LockWaitedEvent
  swept: SweptEvent
}

export type UploadEventName = keyof UploadEvents

type Listener<Name extends UploadEventName> = (event: UploadEvents[Name]) => void

/** The type rejects a missing name, which an array would not. */
const everyName: Record<UploadEventName, true> = {
  created: true,
  found: true,
  appendStarted: true,
  stored: true,
  appendEnded: true,
  displaced: true,
  completed: true,
  finished: true,
  refused: true,
  finishFailed: true,
  terminated: true,
  expired: true,
  discarded: true,
  lockWaited: true,
  swept: true
}

/** The names of all events. On `node:diagnostics_channel` they are `fastify-tus:upload:<name>`. */
export const uploadEventNames = Object.keys(everyName) as UploadEventName[]

const channels = Object.fromEntries(
  uploadEventNames.map((name) => [name, channel(`fastify-tus:upload:${name}`)])
) as Record<UploadEventName, Channel>

/**
 * Publishes the lifecycle to the subscribers of one registration and to `node:diagnostics_channel`. A subscriber
 * observes: it cannot change an outcome, and its failure is logged.
 */
export class EventPublisher {
  readonly #listeners = new Map<UploadEventName, Array<Listener<never>>>()
  readonly #log: FastifyBaseLogger

  constructor (log: FastifyBaseLogger) {
    this.#log = log
  }

  on<Name extends UploadEventName> (name: Name, listener: Listener<Name>): void {
    const listeners = this.#listeners.get(name) ?? []
    listeners.push(listener)
    this.#listeners.set(name, listeners)
  }

  publish<Name extends UploadEventName> (name: Name, event: UploadEvents[Name]): void {
    for (const listener of this.#listeners.get(name) ?? []) {
      try {
        listener(event as never)
      } catch (err) {
        this.#log.error({ err, event: name }, 'event subscriber failed')
      }
    }
    const { [name]: published } = channels
    if (published.hasSubscribers) published.publish(withCopy(event))
  }
}

/** The operation still works with the upload: subscribers outside the plugin get a copy. */
function withCopy (event: object): object {
  return 'upload' in event ? { ...event, upload: copyOf(event.upload) } : event
}

/** Unlike `structuredClone`, it does not throw if the upload of a foreign store has a property that is a function. */
function copyOf (value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOf)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, copyOf(item)]))
}
