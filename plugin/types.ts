/**
 * The public contracts. Those that `@tus/server` has too (`Upload`, `DataStore`, `KvStore`, `Locker`, `Lock`) have its
 * shape, so that its stores and lockers, and everybody's own, plug in unchanged.
 */
import type { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'

/** What the client says about its file, decoded: `null` for a key without a value. */
export type UploadMetadata = Record<string, string | null>

/** One upload, as the store knows it. */
export interface Upload {
  id: string
  /** The declared length of the whole upload in bytes; `undefined` while it is deferred. */
  size?: number | undefined
  /** How many bytes are stored. */
  offset: number
  metadata?: UploadMetadata | undefined
  /** `Upload-Metadata` as the client sent it, where the store is able to keep it. */
  rawMetadata?: string | undefined
  /** Where the bytes are. */
  storage?: { type: string, path: string, bucket?: string } | undefined
  /** ISO 8601. */
  creation_date?: string | undefined
  /** When the last byte was stored, in ms since the epoch, where the store knows. */
  modified?: number | undefined
  /**
   * The offset that counts, where a body came with a checksum: bytes behind it may be stored but are not verified.
   * `undefined` where all that is stored counts.
   */
  verified?: number | undefined
  /** What it is to the concatenation extension; `undefined` for an upload that has nothing to do with it. */
  concatenation?: Concatenation | undefined
  /** Whether `onUploadFinish` is done with it; `undefined` where the store does not keep that. */
  finished?: boolean | undefined
  /** Whether `onUploadFinish` refused it: it is not served, and expires. */
  refused?: boolean | undefined
}

/** A partial upload, or the final one that is made of partial ones. */
export interface Concatenation {
  /** `Upload-Concat` as the client sent it. */
  header: string
  /** The ids of what a final upload is made of, in order; `undefined` for a partial upload. */
  parts?: string[] | undefined
  /** Whether a final upload has its bytes. */
  joined?: boolean | undefined
}

/** A key-value store for the records of uploads, as in `@tus/server`. */
export interface KvStore<T = Upload> {
  get (key: string): Promise<T | undefined>
  set (key: string, value: T): Promise<void>
  delete (key: string): Promise<unknown>
  list? (): Promise<string[]>
}

/** One append under way: bytes go to the store in the order in which they are written. */
export interface Append {
  /** Stores the buffers; resolves when the store has taken them. Never called again before that. */
  write (buffers: Buffer[], bytes: number): Promise<void>
  /** Whether it has no use for the buffers any more when `write` resolves: their memory may be freed then. */
  readonly keepsNothing?: boolean
  /**
   * Ends the append and makes its bytes count.
   * @returns the upload's offset from now on, in bytes
   */
  commit (): Promise<number>
  /**
   * Ends the append; the upload is as it was before, as far as the store is able to.
   * @returns the upload's offset from now on, in bytes, where the store knows
   */
  rollback (): Promise<number | undefined>
  /** The bytes that were written, from the first one; for stores with `checksum`. */
  readBack? (): AsyncIterable<Buffer>
}

export interface AppendOptions {
  /** The length of the whole upload in bytes, where this append declares it: recorded when the append counts. */
  declaredSize?: number | undefined
  /** Whether the bytes must not count before `commit`, also after a crash. */
  unverified?: boolean | undefined
}

/**
 * A store for uploads: the `DataStore` of `@tus/server`, and abilities beside it that a store may have. What it lacks
 * of them the plugin does without.
 */
export interface DataStore {
  /** The tus extensions that the store is able to serve. */
  extensions: string[]
  /** More of them, which `@tus/server` has no part in and must not offer: `checksum`, `concatenation`, `ranges`. */
  abilities?: readonly string[]
  create (upload: Upload): Promise<Upload>
  /** Stores a stream at an offset, and resolves with the new offset. */
  write (stream: Readable, id: string, offset: number): Promise<number>
  /** Rejects where there is no such upload. */
  getUpload (id: string): Promise<Upload>
  remove (id: string): Promise<void>
  declareUploadLength (id: string, length: number): Promise<void>
  deleteExpired? (): Promise<number>
  /** How long an unfinished upload lives, in ms; 0: for ever. */
  getExpiration (): number
  /**
   * The bytes of an upload. Without it there is no GET. A store that lists `ranges` among its abilities reads no more
   * than `range`, from its first to its last byte, where it is given; with other stores GET knows no ranges.
   */
  read? (id: string, range?: { start: number, end: number }): Readable | Promise<Readable>
  /**
   * Ability: batches of buffers at the upload's offset without a stream between, and a rollback. A store that lists
   * `checksum` among its abilities must have it, and keep what is `unverified` from counting.
   * @param upload - as `getUpload` or `create` gave it
   */
  openAppend? (upload: Upload, options?: AppendOptions): Promise<Append>
  /**
   * Ability, needed for `concatenation`: gives a final upload the bytes of its parts, all at once or not at all.
   * Resolves with the upload as it is then; may reject with the reason of `signal` when that aborts.
   */
  concatenate? (upload: Upload, parts: Upload[], signal?: AbortSignal): Promise<Upload>
  /** Ability: makes the bytes of an upload as durable as the store promises, before anybody is told of them. */
  flush? (upload: Upload): Promise<void>
  /** Ability: remembers, in a durable way, that the finish hook of a whole upload is done. */
  markFinished? (upload: Upload): Promise<void>
  /** Ability: the ids of all uploads, for sweeps. */
  list? (): AsyncIterable<string>
  /** Ability: deletes what belongs to no upload, such as the rests of a crash; resolves with how many. */
  removeLeftovers? (): Promise<number>
  /**
   * Ability: lets go of what the store keeps open between requests. Called once the app has closed; another
   * registration, or the app itself, may use the store all the same.
   */
  close? (): Promise<void>
}

/** Asks the holder of a lock to let go soon. */
export type RequestRelease = () => Promise<void> | void

/** The lock of one upload, for one request. */
export interface Lock {
  /**
   * Resolves when the lock is held, rejects when `signal` aborts first. A later `lock()` for the same upload makes the
   * locker call `requestRelease`.
   */
  lock (signal: AbortSignal, requestRelease: RequestRelease): Promise<void>
  unlock (): Promise<void>
  /**
   * Ability: takes the lock if nobody holds it, and disturbs nobody if somebody does. Without it a sweep may displace
   * the writer of an expired upload.
   */
  tryLock? (requestRelease: RequestRelease): boolean | Promise<boolean>
}

/** Hands out locks: one for an upload at a time. */
export interface Locker {
  newLock (id: string): Lock
}

/** What is about to happen to which upload. */
export interface Intent {
  action: 'create' | 'append' | 'inspect' | 'read' | 'terminate' | 'concatenate'
  /** For `create` the upload that will be made; for `concatenate` one of the parts that it will be made of. */
  upload: Upload
}

/** What a finish hook may change of the answer to the request that finished the upload. */
export interface FinishResponse {
  /** Default 201 for POST, 204 for PATCH, 200 for PATCH with a body. */
  statusCode?: number | undefined
  headers?: Record<string, string> | undefined
  body?: string | undefined
}

type Awaitable<T> = T | Promise<T>

/**
 * Called at the moments of an upload's life. A hook that throws an error with a `statusCode` of 4xx or 5xx answers the
 * request with it; any other error is answered with 500, without its text.
 */
export interface FastifyTusHooks {
  /**
   * Called before anything is done with an upload. Throw to refuse; `false` refuses with 403.
   */
  authorize?: ((request: FastifyRequest, intent: Intent) => Awaitable<void | boolean>) | undefined
  /** Called before an upload is created. Throw to refuse; a returned `metadata` replaces the client's. */
  onUploadCreate?:
    ((request: FastifyRequest, upload: Upload) => Awaitable<void | { metadata?: UploadMetadata }>) | undefined
  /**
   * Called once for an upload whose last byte is stored, before that is answered. `request` is `null` where a sweep
   * makes up for a call that a crash prevented. A thrown error with a 4xx `statusCode` refuses the upload for good: it
   * is not served, and expires. Any other error leaves the hook due: it is called again on the next contact or sweep.
   * A crash between the end of the hook and the mark that it ran repeats it: make it harmless to run twice.
   */
  onUploadFinish?: ((request: FastifyRequest | null, upload: Upload) => Awaitable<void | FinishResponse>) | undefined
  /** Called after an upload was deleted by DELETE. */
  onUploadTerminate?: ((request: FastifyRequest, upload: Upload) => Awaitable<void>) | undefined
  /** Called after an expired upload was deleted by a sweep. */
  onUploadExpire?: ((upload: Upload) => Awaitable<void>) | undefined
  /** Called while bytes arrive, at most every `progressInterval` ms, with the offset that is stored. Not awaited. */
  onProgress?: ((request: FastifyRequest, upload: Upload) => Awaitable<void>) | undefined
}
