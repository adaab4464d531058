import { Readable } from 'node:stream'
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import { check, milliseconds } from '../../checks.ts'
import { describe } from '../../description.ts'
import { errors } from '../../errors.ts'
import { isDefaultId, isUploadId } from '../../ids.ts'
import { INLINE_TYPES, typeMatcher } from '../../media-types.ts'
import type { AppendOptions, Capability, DataStore, Upload, UploadChanges } from '../../types.ts'
import { isComplete, StoredUpload } from '../stored-upload.ts'
import { type AppendContext, S3Append } from './append.ts'
import { assemble, type AssemblyContext, concatenate } from './assemble.ts'
import { Bucket, type ObjectProperties } from './bucket.ts'
import { DueUploads, isSettled } from './due.ts'
import { Garbage } from './garbage.ts'
import { CHECK, folderOf, newName, stateKey, UPLOADS } from './keys.ts'
import { MemoryBudget } from './memory-budget.ts'
import { removeOrphans } from './orphans.ts'
import { MIN_PART_BYTES } from './plan-parts.ts'
import { readBytes } from './read.ts'
import { Segments } from './segments.ts'
import { checkBucket } from './self-check.ts'
import type { State, VersionedState } from './state.ts'
import { States } from './states.ts'

const MIB = 1024 * 1024
/** Each segment costs two requests, so that a large upload has longer ones, in bytes. */
const LONG_SEGMENT_BYTES = 16 * MIB
const FEW_SEGMENTS = 16
/** S3 allows 10,000 parts; some are left for short segments. */
const MAX_SEGMENTS = 5000
/** How long a check waits for a response, and how long it is retried, in ms. */
const PROBE_MS = 5000
const ORPHAN_CHECK_MS = 24 * 3_600_000

export interface S3StoreOptions {
  bucket: string
  /** The client for all requests. Default: a client with `clientConfig`. */
  client?: S3Client | undefined
  /** The configuration of the client. Default: region and credentials from the environment, as in the AWS CLI. */
  clientConfig?: S3ClientConfig | undefined
  /** In front of the name of every object, such as `uploads/`. Default: nothing. */
  prefix?: string | undefined
  /** How many bytes are stored with one request, at least 5 MiB. Large uploads take more. Default 8 MiB. */
  segmentSize?: number | undefined
  /** How many bytes of all bodies are in memory, about, until they are stored. Default 256 MiB. */
  memory?: number | undefined
  /** How long a failed request is retried, in ms. The client then gets an error, and resumes. Default 30 s. */
  retryTime?: number | undefined
  /**
   * Whether the server honours `If-Match` and `If-None-Match`. If not, only a locker that all processes share keeps
   * them from writing to the same upload. Default `true`.
   */
  conditionalWrites?: boolean | undefined
  /**
   * How long an unfinished upload lives, in ms, unless the plugin has an `expiration` of its own. Default 0: forever.
   */
  expirationPeriodInMilliseconds?: number | undefined
  /** More properties of the object of an upload, such as `StorageClass` or `ServerSideEncryption`. */
  objectProperties?: ((upload: Upload) => ObjectProperties) | undefined
}

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
  readonly #isConditional: boolean
  #orphansCheckedAt = -Infinity

  /** @throws FST_TUS_INVALID_OPTION */
  constructor (options: S3StoreOptions) {
    const { bucket, prefix = '', segmentSize = 8 * MIB, memory = 256 * MIB, conditionalWrites = true } = options
    const retryTime = milliseconds('retryTime', options.retryTime, 30_000)
    checkOptions({ ...options, segmentSize, memory, prefix })
    this.bucket = bucket
    this.#isConditional = conditionalWrites
    this.#expiration = options.expirationPeriodInMilliseconds ?? 0
    this.capabilities = new Set([...capabilities, ...conditionalWrites ? ['fencing' as const] : []])
    const client = options.client ?? new S3Client({ requestHandler, ...options.clientConfig })
    const access = { client, name: bucket, prefix, isConditional: conditionalWrites }
    this.#bucket = new Bucket({ ...access, retryTime })
    this.#probe = new Bucket({ ...access, retryTime: Math.min(retryTime, PROBE_MS), attemptTime: PROBE_MS })
    this.#states = new States(this.#bucket)
    this.#garbage = new Garbage(this.#bucket)
    this.#due = new DueUploads(this.#bucket, this.#states, (state) => this.#deleteObjects(state))
    const segments = new Segments(this.#bucket)
    const shared = { states: this.#states, segments, garbage: this.#garbage }
    const segmentBytes = ({ upload: { size = 0 } }: State) =>
      Math.max(segmentSize, Math.min(LONG_SEGMENT_BYTES, size / FEW_SEGMENTS), size / MAX_SEGMENTS)
    this.#appending = { ...shared, budget: new MemoryBudget(memory), segmentBytes }
    const propertiesOf = (upload: Upload) => ({ ...propertiesFrom(upload), ...options.objectProperties?.(upload) })
    this.#assembling = { ...shared, bucket: this.#bucket, propertiesOf }
  }

  /** @throws FST_TUS_BUCKET if the bucket cannot be used */
  async prepare (): Promise<void> {
    await checkBucket(this.#probe, this.#isConditional)
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
    const [written] = await Promise.all([this.#states.create(state), this.#due.add(created)])
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
    const isExpected = this.#isConditional && cached?.phase === 'open' && cached.upload.offset === offset
    const { upload } = isExpected ? cached : await this.#states.find(id)
    return new StoredUpload(upload)
  }

  async openAppend (upload: Upload, options: AppendOptions = {}): Promise<S3Append> {
    const state = await this.#stateAt(upload)
    if (state.phase !== 'open') throw new errors.Displaced()
    // Another append may be under way: its next commit must fail. The process may also have died.
    const own = state.appending === undefined ? state : await this.#states.commit(state, { appending: undefined })
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
    if (state.phase === 'open') await assemble(this.#assembling, state)
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
    const state = this.#states.cached(id) ?? await this.#states.find(id)
    const { start, end } = range ?? { start: 0, end: state.upload.offset - 1 }
    const bytes = readBytes({ states: this.#states, bucket: this.#bucket }, state, start, end + 1)
    return Readable.from(bytes, { objectMode: false })
  }

  /** @throws FST_TUS_NOT_FOUND */
  async remove (id: string): Promise<void> {
    checkId(id)
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
    const state = this.#isConditional && cached !== undefined && isSame(cached) ? cached : await this.#states.find(id)
    if (!isSame(state)) throw new errors.Displaced()
    return state
  }

  /** The state is the last to go: a deletion that a crash interrupts is completed later. */
  async #deleteObjects (state: State): Promise<void> {
    const { upload: { id }, multipart } = state
    if (multipart !== undefined) await this.#bucket.abortMultipart(id, multipart)
    await this.#bucket.delete(id)
    const keys = []
    for await (const { key } of this.#bucket.list(folderOf(id))) keys.push(key)
    await this.#bucket.deleteAll(keys.filter((key) => key !== stateKey(id)))
    const { etag } = state as VersionedState
    await this.#bucket.delete(stateKey(id), { etag })
    this.#states.forget(id)
  }
}

const capabilities: Capability[] = [
  'creation', 'creation-with-upload', 'read', 'read-unfinished', 'ranges', 'termination', 'deferred-length', 'checksum',
  'concatenation', 'updates', 'expiration'
]

/** A connection that is silent for this long is broken, in ms. Many readers may pause at the same time. */
const agent = { keepAlive: true, maxSockets: 256 }
const requestHandler = { connectionTimeout: 5000, socketTimeout: 30_000, httpAgent: agent, httpsAgent: agent }

const isInline = typeMatcher(INLINE_TYPES)

/** A page in another site that loads the object must not run it. */
function propertiesFrom ({ metadata }: Upload): ObjectProperties {
  const { type, disposition } = describe(metadata, isInline)
  return { ContentType: type, ContentDisposition: disposition }
}

function checkId (id: string): void {
  if (!isUploadId(id)) throw new errors.NotFound()
}

function checkOptions ({ bucket, prefix, segmentSize, memory, client, clientConfig }: S3StoreOptions): void {
  check(typeof bucket === 'string' && bucket !== '', '"bucket" must be the name of a bucket')
  check(typeof prefix === 'string' && !prefix.startsWith('/'), '"prefix" must be a string that does not begin with "/"')
  check(Number.isSafeInteger(segmentSize) && Number(segmentSize) >= MIN_PART_BYTES,
    '"segmentSize" must be an integer of at least 5242880 (bytes)')
  check(Number.isSafeInteger(memory) && Number(memory) > 0, '"memory" must be an integer above 0 (bytes)')
  check(client === undefined || clientConfig === undefined, '"client" and "clientConfig" cannot be combined')
}
