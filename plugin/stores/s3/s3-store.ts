import { Readable } from 'node:stream'
import { errors } from '../../errors.ts'
import { isDefaultId, isUploadId } from '../../ids.ts'
import type { AppendOptions, Capability, DataStore, Upload, UploadChanges } from '../../types.ts'
import { isComplete, StoredUpload } from '../stored-upload.ts'
import { type AppendContext, S3Append } from './appends/append.ts'
import { assemble, type AssemblyContext, concatenate, deleteObject } from './objects/assemble.ts'
import { Bucket } from './bucket/bucket.ts'
import { DueUploads, isSettled } from './sweeps/due.ts'
import { Garbage } from './sweeps/garbage.ts'
import { CHECK, folderOf, newName, stateKey, UPLOADS } from './bucket/keys.ts'
import { MemoryBudget } from './appends/memory-budget.ts'
import { resolveOptions, type S3StoreOptions } from './options.ts'
import { removeOrphans } from './sweeps/orphans.ts'
import { readBytes } from './objects/read.ts'
import { segmentBytesOf } from './appends/segment-size.ts'
import { Segments } from './appends/segments.ts'
import { checkBucket } from './bucket/self-check.ts'
import type { State, VersionedState } from './states/state.ts'
import { States } from './states/states.ts'

/** How long a check waits for a response, and how long it is retried, in ms. */
const PROBE_MS = 5000
const ORPHAN_CHECK_MS = 24 * 3_600_000

/**
 * Uploads in a bucket of S3 or of a server with the same interface. A finished upload is an object with its id as the
 * name. Everything else has a name that begins with a dot.
 *
 * Any number of processes may use a bucket. If two of them write to an upload at the same time, one of them fails.
 */
export class S3Store implements DataStore {
  readonly capabilities: ReadonlySet<Capability>
  readonly retainsBuffers = true
  readonly bucket: string
  readonly #bucket: Bucket
  /** For checks: the start of a server waits for them. */
  readonly #probe: Bucket
  readonly #states: States
  readonly #garbage: Garbage
  readonly #due: DueUploads
  readonly #appending: AppendContext
  readonly #assembling: AssemblyContext
  readonly #expiration: number
  #orphansCheckedAt = -Infinity

  /** @throws FST_TUS_INVALID_OPTION */
  constructor (options: S3StoreOptions) {
    const { bucket: name, segmentSize, memory, expiration, propertiesOf, ...settings } = resolveOptions(options)
    this.bucket = name
    this.#expiration = expiration
    this.capabilities = new Set([...capabilities, ...settings.isConditional ? ['fencing' as const] : []])
    this.#bucket = new Bucket({ name, ...settings })
    const retryTime = Math.min(settings.retryTime, PROBE_MS)
    this.#probe = new Bucket({ name, ...settings, retryTime, attemptTime: PROBE_MS })
    this.#states = new States(this.#bucket)
    this.#garbage = new Garbage(this.#bucket)
    this.#due = new DueUploads(this.#bucket, this.#states, (state) => this.#deleteObjects(state))
    const segments = new Segments(this.#bucket)
    const shared = { states: this.#states, segments, garbage: this.#garbage }
    const segmentBytes = ({ upload }: State) => segmentBytesOf(upload, segmentSize)
    this.#appending = { ...shared, budget: new MemoryBudget(memory), segmentBytes }
    this.#assembling = { ...shared, bucket: this.#bucket, propertiesOf }
  }

  /** @throws FST_TUS_BUCKET if the bucket cannot be used */
  async prepare (): Promise<void> {
    await checkBucket(this.#probe)
  }

  /** Rejects if the bucket cannot be reached. */
  async ping (): Promise<void> {
    await this.#probe.head(CHECK)
  }

  /** @throws FST_TUS_EXISTS if the id is taken */
  async create (upload: Upload): Promise<StoredUpload> {
    const { id } = upload
    const storage = { type: 's3', path: this.#bucket.pathOf(id), bucket: this.bucket }
    const created = new StoredUpload({ ...upload, storage, finished: false, modified: Date.now() })
    // An object with such a name may belong to the user.
    if (!isDefaultId(id) && await this.#bucket.head(id) !== undefined) throw new errors.Exists()
    const state = { upload: created, phase: 'open' as const, birth: newName(), segments: [], tail: Buffer.alloc(0) }
    // The marker is first: a sweep would never find an upload whose creation a crash has interrupted in between.
    await this.#due.add(created)
    const written = await this.#states.create(state)
    if (written !== undefined) return new StoredUpload(written.upload)
    const existing = await this.#states.read(id)
    if (existing?.phase !== 'removed') throw new errors.Exists()
    // A crash has interrupted its deletion.
    await this.#deleteObjects(existing)
    return await this.create(upload)
  }

  /** @throws FST_TUS_NOT_FOUND */
  async getUpload (id: string, { offset }: { offset?: number | undefined } = {}): Promise<StoredUpload> {
    checkId(id)
    const cached = this.#states.cached(id)
    const isCurrent = cached !== undefined && cached.upload.offset === offset && isOnlyAppended(cached)
    const { upload } = isCurrent ? cached : await this.#states.find(id)
    return new StoredUpload(upload)
  }

  async openAppend (upload: Upload, options: AppendOptions = {}): Promise<S3Append> {
    const state = await this.#stateAt(upload)
    if (state.phase !== 'open') throw new errors.Displaced()
    // Another append may be under way: its next commit must fail. The process may also have died.
    const own = state.appending === undefined ? state : await this.#states.commit(state, stopped)
    return new S3Append(this.#appending, own, options)
  }

  /** The final upload has none of its bytes, or all of them. */
  async concatenate (upload: Upload, parts: Upload[], signal?: AbortSignal): Promise<StoredUpload> {
    const state = await this.#states.find(upload.id)
    const whole = state.phase === 'object' ? state : await concatenate(this.#assembling, state, parts, signal)
    return new StoredUpload(whole.upload)
  }

  /** Makes the object of a complete upload. Bytes that count are always durable. */
  async sync (upload: Upload): Promise<void> {
    if (!isComplete(upload)) return
    const state = await this.#stateAt(upload)
    if (state.phase !== 'open') return
    try {
      await assemble(this.#assembling, state)
    } catch (error) {
      // Another process may have made the object and deleted the segments, or deleted the upload.
      const { phase } = await this.#states.find(upload.id)
      throw phase === 'open' ? error : new errors.Displaced()
    }
  }

  async update ({ id, creation_date: created }: Upload, changes: UploadChanges): Promise<void> {
    // The id may have been used again by another process.
    if (this.#states.cached(id)?.upload.creation_date !== created) this.#states.forget(id)
    const changed = await this.#states.change(id, ({ upload }) => {
      if (upload.creation_date !== created) return undefined
      return { upload: new StoredUpload({ ...upload, ...changes }) }
    })
    if (changed !== undefined && isSettled(changed.upload)) this.#garbage.delete([this.#due.markerOf(changed.upload)])
  }

  async read (id: string, range?: { start: number, end: number }): Promise<Readable> {
    checkId(id)
    const cached = range && this.#states.cached(id)
    const state = cached ?? await this.#states.find(id)
    const { start, end } = range ?? { start: 0, end: state.upload.offset - 1 }
    const bytes = readBytes({ states: this.#states, bucket: this.#bucket }, state, start, end + 1)
    return Readable.from(bytes, { objectMode: false })
  }

  /** @throws FST_TUS_NOT_FOUND */
  async remove (id: string): Promise<void> {
    checkId(id)
    const { upload } = await this.#states.find(id)
    // A sweep completes the deletion if a crash interrupts it.
    if (isSettled(upload)) await this.#due.add(upload)
    const removed = await this.#states.change(id, () => ({ phase: 'removed' as const }))
    if (removed === undefined) throw new errors.NotFound()
    await this.#deleteObjects(removed)
    this.#garbage.delete([this.#due.markerOf(removed.upload)])
  }

  /** @param after - an id: only those that follow it in the order of their text */
  list (after?: string): AsyncIterable<string> {
    return this.#bucket.listNames(UPLOADS, after)
  }

  due (now: number): AsyncIterable<string> {
    return this.#due.list(now)
  }

  /** All objects have to be listed: at most once a day. */
  async removeOrphans (): Promise<number> {
    const now = Date.now()
    if (now < this.#orphansCheckedAt + ORPHAN_CHECK_MS) return 0
    this.#orphansCheckedAt = now
    return await removeOrphans(this.#bucket, this.#states, now)
  }

  getExpiration (): number {
    return this.#expiration
  }

  /** Resolves once deletions in the background have ended. */
  async close (): Promise<void> {
    await this.#garbage.settled()
  }

  /**
   * The state of an upload as the caller has read it.
   * @throws FST_TUS_DISPLACED if it has moved on
   */
  async #stateAt ({ id, offset, creation_date: created }: Upload): Promise<VersionedState> {
    const isSame = ({ upload }: State) => upload.offset === offset && upload.creation_date === created
    const cached = this.#states.cached(id)
    const state = cached !== undefined && isSame(cached) ? cached : await this.#states.find(id)
    if (!isSame(state)) throw new errors.Displaced()
    return state
  }

  /** The state is the last to go: a deletion that a crash interrupts is completed later. */
  async #deleteObjects ({ upload: { id }, birth, multipart, etag }: VersionedState): Promise<void> {
    if (multipart !== undefined) await this.#bucket.abortMultipart(id, multipart)
    await deleteObject(this.#bucket, id, birth)
    const keys = []
    for await (const { key } of this.#bucket.list(folderOf(id))) keys.push(key)
    await this.#bucket.deleteAll(keys.filter((key) => key !== stateKey(id)))
    await this.#bucket.delete(stateKey(id), { etag })
    this.#states.forget(id)
  }
}

/**
 * Whether other requests change only the offset. They may also declare a length that is not known yet, and make the
 * object of a complete upload.
 */
function isOnlyAppended ({ phase, upload }: State): boolean {
  return phase === 'open' && upload.size !== undefined && !isComplete(upload)
}

/** The append that is under way fails at its next commit. */
const stopped = (): Partial<State> => ({ appending: undefined })

const capabilities: Capability[] = [
  'creation', 'creation-with-upload', 'read', 'read-unfinished', 'ranges', 'termination', 'deferred-length', 'checksum',
  'concatenation', 'updates', 'expiration'
]

function checkId (id: string): void {
  if (!isUploadId(id)) throw new errors.NotFound()
}
