/**
 * The public contracts. `Upload`, `DataStore`, `KvStore`, `Locker` and `Lock` have the shape that they have in
 * `@tus/server`, so that existing stores and lockers work unchanged. Everything beyond that shape is optional.
 */
import type { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'

/** The decoded metadata of the client; `null` for a key without a value. */
export type UploadMetadata = Record<string, string | null>

/** One upload, as the store knows it. */
export interface Upload {
  id: string
  /** The declared length of the complete upload, in bytes; `undefined` while it is deferred. */
  size?: number | undefined
  /** How many bytes are stored. */
  offset: number
  /**
   * Whether all bytes are stored. `undefined` if the record does not say so: the upload is complete once `offset`
   * reaches `size`. A store keeps the value that `create` got until `concatenate`, a commit with `complete` or
   * `update` sets it to `true`.
   */
  complete?: boolean | undefined
  metadata?: UploadMetadata | undefined
  /** `Upload-Metadata` exactly as the client sent it, if the store keeps it. */
  rawMetadata?: string | undefined
  /** The location of the bytes. */
  storage?: { type: string, path: string, bucket?: string } | undefined
  /** ISO 8601. Together with the id it identifies an upload: an id may be used again after a deletion. */
  creation_date?: string | undefined
  /** When the last byte was stored, in ms since the epoch, if the store knows. */
  modified?: number | undefined
  /**
   * The offset that counts after a body with a checksum: bytes beyond it may be stored but are not verified.
   * `undefined` if everything that is stored counts.
   */
  verified?: number | undefined
  /** The name of the protocol that created it, if the protocol sets it. Only recorded: no operation reads it. */
  protocol?: string | undefined
  /** The role of a partial or final upload; `undefined` for all others. */
  concatenation?: Concatenation | undefined
  /** Whether `onUploadFinish` has run; `undefined` if the store does not record it. */
  finished?: boolean | undefined
  /** Whether `onUploadFinish` refused it: it is not served, and expires. */
  refused?: boolean | undefined
}

/** Identifies an upload even if its id is used again. */
export interface UploadReference {
  id: string
  /** Its `creation_date`; `undefined` in records of version 0.1.0, which match by id alone. */
  creation_date?: string | undefined
}

/** The role of an upload in the concatenation extension of tus. */
export interface Concatenation {
  /** `Upload-Concat` exactly as the client sent it. */
  header: string
  /** The parts of a final upload, in order; `undefined` for a partial upload. */
  parts?: UploadReference[] | undefined
  /** The final uploads that wait for this partial upload. */
  waiting?: UploadReference[] | undefined
}

/** A key-value store for the records of uploads, as in `@tus/server`. */
export interface KvStore<T = Upload> {
  get (key: string): Promise<T | undefined>
  set (key: string, value: T): Promise<void>
  delete (key: string): Promise<unknown>
  list? (): Promise<string[]>
}

export interface CommitOptions {
  /** The length of the complete upload, in bytes, if this append declares it. */
  size?: number | undefined
  /** Whether these are the last bytes of the upload. Default: whether the offset reaches the length. */
  complete?: boolean | undefined
}

/** One append under way. Batches are written in order, one at a time. */
export interface Append {
  /** Takes a batch of buffers; resolves once the store is ready for the next one. */
  write (buffers: Buffer[], bytes: number): Promise<void>
  /**
   * The offset that survives if the process dies now. Default: what was written, or the offset at which the append
   * began if it is unverified.
   */
  readonly stored?: number | undefined
  /**
   * Ends the append and makes its bytes count.
   * @returns the new offset of the upload, in bytes
   */
  commit (options?: CommitOptions): Promise<number>
  /**
   * Ends the append; the upload is as it was before, as far as the store can restore it.
   * @returns the offset of the upload, in bytes, if the store knows it
   */
  rollback (): Promise<number | undefined>
  /**
   * Ends the append without another change to the upload: its lock is lost, so another process may be writing to it.
   * Default: `rollback`.
   */
  abandon? (): Promise<void>
  /** The bytes of this append, from its first one. Required for `checksum`. */
  readBack? (): AsyncIterable<Buffer>
}

export interface AppendOptions {
  /**
   * The length of the complete upload, in bytes, if this append declares it. It counts once the append is committed.
   */
  size?: number | undefined
  /** Whether the bytes must not count before `commit`, not even after a crash. */
  unverified?: boolean | undefined
}

/** Facts that are recorded about an upload after its creation. */
export type UploadChanges = Partial<Pick<Upload, 'complete' | 'finished' | 'refused' | 'concatenation'>>

/**
 * What a store can do:
 * - `creation`: uploads may be created.
 * - `creation-with-upload`: an append may follow `create` at once.
 * - `read`: `read` returns the bytes of a complete upload.
 * - `read-unfinished`: `read` also returns the stored bytes of an upload that is not complete.
 * - `ranges`: `read` takes a range.
 * - `termination`: `remove` deletes every upload, complete or not.
 * - `deferred-length`: an upload may be created without a length.
 * - `checksum`: `openAppend` supports `unverified`, and its appends have `rollback` and `readBack`.
 * - `updates`: `update` exists, and `finished` is `false` until it is recorded, so that a missed finish hook is
 *   detected.
 * - `concatenation`: `concatenate` and `update` exist.
 * - `expiration`: `list` or `due` exists, so that a sweep finds expired uploads.
 * - `fencing`: a commit fails if another process has changed the upload since this append opened it.
 */
export type Capability = (typeof capabilityNames)[number]

export const capabilityNames = [
  'creation', 'creation-with-upload', 'read', 'read-unfinished', 'ranges', 'termination', 'deferred-length',
  'checksum', 'concatenation', 'updates', 'expiration', 'fencing'
] as const

/**
 * A store for uploads. A `DataStore` of `@tus/server` works unchanged. A store that has `openAppend` needs neither
 * `write` nor `declareUploadLength`.
 */
export interface DataStore {
  /** The extensions of tus that the store serves in `@tus/server`. Needed only without `capabilities`. */
  extensions?: string[]
  /** What the store can do. Default: derived from `extensions` and from the methods that exist. */
  capabilities?: ReadonlySet<Capability>
  /** Whether appends use the buffers of a batch after `write` has resolved. Default `true`. */
  retainsBuffers?: boolean
  /** Called once before the first request. If it rejects, the app does not start. */
  prepare? (): Promise<void>
  /**
   * Creates an upload.
   * @throws FST_TUS_EXISTS if the id is taken
   */
  create (upload: Upload): Promise<Upload>
  /** Stores a stream at an offset; resolves with the new offset. */
  write? (stream: Readable, id: string, offset: number): Promise<number>
  /**
   * Rejects with FST_TUS_NOT_FOUND, or an error with `status_code` 404, if the upload does not exist.
   * @param hint - the offset that the caller expects: a store whose commits are fenced may read from its cache
   */
  getUpload (id: string, hint?: { offset?: number | undefined }): Promise<Upload>
  /** Deletes an upload and everything that belongs to it. Rejects if there is none. */
  remove (id: string): Promise<void>
  declareUploadLength? (id: string, length: number): Promise<void>
  /** Part of the contract of `@tus/server`; never called, because it takes no locks. */
  deleteExpired? (): Promise<number>
  /** How long an unfinished upload lives, in ms. Default 0: forever. */
  getExpiration? (): number
  /** The bytes of an upload, or those from `range.start` to `range.end`, both included. */
  read? (id: string, range?: { start: number, end: number }): Readable | Promise<Readable>
  /**
   * Appends at the offset of the upload, batch by batch.
   * @param upload - as `getUpload` or `create` returned it
   */
  openAppend? (upload: Upload, options?: AppendOptions): Promise<Append>
  /**
   * Gives a final upload the bytes of its parts and makes it complete, all at once or not at all.
   * @returns the upload afterwards; may reject with the reason of `signal` once that is aborted
   */
  concatenate? (upload: Upload, parts: Upload[], signal?: AbortSignal): Promise<Upload>
  /** Makes the bytes of an upload as durable as the store promises. Called before a client or a hook relies on them. */
  sync? (upload: Upload): Promise<void>
  /** Records facts about an upload, durably. Does nothing if the upload no longer exists. */
  update? (upload: Upload, changes: UploadChanges): Promise<void>
  /** The ids of all uploads. */
  list? (): AsyncIterable<string>
  /**
   * The ids of all uploads that may be due: expired, without their finish hook, or waiting for their parts. A sweep
   * checks only these; without `due`, it checks every upload.
   * @param now - in ms since the epoch
   */
  due? (now: number): AsyncIterable<string>
  /**
   * Deletes data that belongs to no upload, such as files of a crashed process; resolves with the number of deletions.
   */
  removeOrphans? (): Promise<number>
  /**
   * Releases what the store keeps open between requests. Called once the app has closed. Another registration may still
   * use the store.
   */
  close? (): Promise<void>
}

/** Asks the holder of a lock to release it soon. */
export type RequestRelease = () => Promise<void> | void

/** The lock of one upload, for one request. */
export interface Lock {
  /**
   * Resolves once the lock is held; rejects if `signal` aborts first. A later `lock()` for the same upload makes the
   * locker call `requestRelease`.
   * @throws FST_TUS_LOCKED for an immediate 423; after any other error, the response is 503, and the error is logged
   */
  lock (signal: AbortSignal, requestRelease: RequestRelease): Promise<void>
  unlock (): Promise<void>
  /**
   * Takes the lock if it is free; never calls the `requestRelease` of its holder. Without it, a sweep may displace the
   * writer of an expired upload.
   */
  tryLock? (requestRelease: RequestRelease): boolean | Promise<boolean>
  /** Aborts if the lock is lost, for example because its lease has run out: another process may hold it. */
  readonly lost?: AbortSignal
}

/** Entries of one kind, such as the open bodies of a client. */
export interface CountedGroup {
  name: string
  /** How many entries it may have. */
  max: number
}

export interface FullGroup {
  name: string
  /** Some of the entries that were not extended in time. */
  stale: string[]
}

/** Counts what all processes that share it have, such as open bodies. */
export interface Counter {
  /**
   * Adds an entry to all groups, or to none if one of them is full. An entry that a group has already is extended.
   * @param ttl - the time until the entry must be extended, in ms; its process may have ended then
   * @returns the group that is full, if any
   */
  add (entry: string, groups: CountedGroup[], ttl: number): Promise<FullGroup | undefined>
  /** Removes an entry from all of its groups. */
  remove (entry: string): Promise<void>
}

/** Hands out locks: an upload has one holder at a time. */
export interface Locker {
  newLock (id: string): Lock
  /** Whether other processes use it. Default `true`. */
  shared?: boolean
  /**
   * A number that stays the same as long as no other process has held the lock of the upload; `undefined` if one may
   * hold it. A store may use what it has cached of the upload during that time.
   */
  tenure? (id: string): number | undefined
  /** Announces to other processes that an upload has changed. Must not throw. */
  changed? (id: string): void
  /**
   * Calls `listener` for each change that another process announces. Growing downloads then follow these instead of
   * asking the store twice a second.
   * @returns stops the calls
   */
  onChanged? (listener: (id: string) => void): () => void
  /** Counts for the quotas. Without it, each process counts its own uploads and bodies. */
  counter?: Counter
  /**
   * Releases what the locker keeps open between locks. Called once the app has closed; another app may still use it.
   */
  close? (): Promise<void>
}

/** The operation that is about to happen, and its upload. */
export interface Intent {
  action: 'create' | 'append' | 'inspect' | 'read' | 'terminate' | 'concatenate'
  /** For `create`, the new upload; for `concatenate`, one of the parts. */
  upload: Upload
}

/** What a finish hook may change in the response to the request that finished the upload. */
export interface FinishResponse {
  /** Default 201 for POST, 204 for PATCH, 200 for PATCH with a body. */
  statusCode?: number | undefined
  headers?: Record<string, string> | undefined
  body?: string | undefined
}

type Awaitable<T> = T | Promise<T>

/**
 * Hooks in the life of an upload. If a hook throws an error with a `statusCode` of 4xx or 5xx, the response is that
 * error. After any other error, the response is 500, without its text.
 */
export interface FastifyTusHooks {
  /** Called before anything is done with an upload. Throw to refuse; `false` refuses with 403. */
  authorize?: ((request: FastifyRequest, intent: Intent) => Awaitable<void | boolean>) | undefined
  /** Called before an upload is created. Throw to refuse; a returned `metadata` replaces the client's. */
  onUploadCreate?:
    ((request: FastifyRequest, upload: Upload) => Awaitable<void | { metadata?: UploadMetadata }>) | undefined
  /**
   * Called for a complete upload, before the response to its last byte. `request` is `null` if a sweep repeats a call
   * that a crash prevented. An error with a 4xx `statusCode` refuses the upload for good: it is not served, and
   * expires. After any other error the hook is called again by the next request for the upload, or by a sweep. It runs
   * at least once, and exactly once if no process or disk fails while it runs.
   */
  onUploadFinish?: ((request: FastifyRequest | null, upload: Upload) => Awaitable<void | FinishResponse>) | undefined
  /** Called after DELETE has deleted an upload. */
  onUploadTerminate?: ((request: FastifyRequest, upload: Upload) => Awaitable<void>) | undefined
  /** Called after a sweep has deleted an expired upload. */
  onUploadExpire?: ((upload: Upload) => Awaitable<void>) | undefined
  /**
   * Called while bytes arrive, at most every `progressInterval` ms, and once more for the last bytes of a body; the
   * `offset` of the upload is the stored one. Not awaited.
   */
  onProgress?: ((request: FastifyRequest, upload: Upload) => Awaitable<void>) | undefined
}
