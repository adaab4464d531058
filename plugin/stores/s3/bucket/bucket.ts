import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import {
  AbortMultipartUploadCommand, CompleteMultipartUploadCommand, CreateMultipartUploadCommand, DeleteObjectCommand,
  DeleteObjectsCommand, GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, PutObjectCommand, UploadPartCommand,
  UploadPartCopyCommand, type S3Client
} from '@aws-sdk/client-s3'
import { errors, isTusError } from '../../../errors.ts'
import { retry, statusOf } from './retry.ts'

export interface BucketOptions {
  client: S3Client
  name: string
  /** In front of every key. */
  prefix: string
  /** Whether conditions are sent. */
  isConditional: boolean
  /** How long a request is retried, in ms. */
  retryTime: number
  /** How long one attempt may take until its headers, or until its body if that is read here, in ms. Default 60 s. */
  attemptTime?: number
}

export interface ByteRange {
  start: number
  bytes: number
}

/** The condition of a write: the object does not exist, or still has this ETag. */
export interface Condition {
  isNew?: boolean
  etag?: string | undefined
}

/** Properties of a stored object: content type, storage class, encryption and the like. */
export type ObjectProperties = Record<string, unknown>

export interface StoredObject {
  etag: string
  bytes: number
  modified: number
  metadata: Record<string, string>
}

export interface ListedObject {
  key: string
  modified: number
}

/** A write whose condition does not hold. */
export class ConditionFailed extends Error {}

/** How many keys one request deletes at most. */
const DELETED_AT_ONCE = 1000

/** What the store needs of a bucket. Requests are retried for a while; missing objects are `undefined`. */
export class Bucket {
  readonly name: string
  /** Whether conditions are sent. */
  readonly isConditional: boolean
  readonly #client: S3Client
  readonly #prefix: string
  readonly #retryTime: number
  readonly #attemptTime: number

  constructor ({ client, name, prefix, isConditional, retryTime, attemptTime = 60_000 }: BucketOptions) {
    this.name = name
    this.#client = client
    this.#prefix = prefix
    this.isConditional = isConditional
    this.#retryTime = retryTime
    this.#attemptTime = attemptTime
  }

  /** The complete name of an object. */
  pathOf (key: string): string {
    return `${this.#prefix}${key}`
  }

  /** @returns the ETag */
  async put (
    key: string, bytes: Buffer, condition: Condition = {}, properties: ObjectProperties = {}
  ): Promise<string> {
    const command = { ...properties, ...this.#object(key), ...this.#conditionOf(condition), Body: bytes }
    const { ETag } = await this.#send((options) => this.#client.send(new PutObjectCommand(command), options))
    return String(ETag)
  }

  async getBytes (key: string, range?: ByteRange): Promise<{ bytes: Buffer, etag: string } | undefined> {
    return await this.#ifExists(async (options) => {
      const { Body, ETag } = await this.#client.send(this.#getCommand(key, range), options)
      return { bytes: await buffer(Body as Readable), etag: String(ETag) }
    })
  }

  async getStream (key: string, range?: ByteRange): Promise<Readable | undefined> {
    return await this.#ifExists(async (options) => {
      const { Body } = await this.#client.send(this.#getCommand(key, range), options)
      return Body as Readable
    })
  }

  async head (key: string): Promise<StoredObject | undefined> {
    return await this.#ifExists(async (options) => {
      const found = await this.#client.send(new HeadObjectCommand(this.#object(key)), options)
      return {
        etag: String(found.ETag),
        bytes: Number(found.ContentLength),
        modified: Number(found.LastModified),
        metadata: { ...found.Metadata }
      }
    })
  }

  /** Deletes one object, or only the version of it with this ETag. */
  async delete (key: string, { etag }: Condition = {}): Promise<void> {
    const command = new DeleteObjectCommand({ ...this.#object(key), ...this.#conditionOf({ etag }) })
    try {
      await this.#ifExists((options) => this.#client.send(command, options))
    } catch (error) {
      // That version is gone.
      if (!(error instanceof ConditionFailed)) throw error
    }
  }

  async deleteAll (keys: string[]): Promise<void> {
    for (let start = 0; start < keys.length; start += DELETED_AT_ONCE) {
      const Objects = keys.slice(start, start + DELETED_AT_ONCE).map((key) => ({ Key: this.pathOf(key) }))
      const command = new DeleteObjectsCommand({ Bucket: this.name, Delete: { Objects, Quiet: true } })
      await this.#send((options) => this.#client.send(command, options))
    }
  }

  /** The objects whose keys begin with `start`, in the order of their keys. */
  async * list (start: string): AsyncGenerator<ListedObject> {
    for await (const page of this.#pages({ Prefix: this.pathOf(start) })) {
      for (const { Key = '', LastModified } of page.Contents ?? []) {
        yield { key: Key.slice(this.#prefix.length), modified: Number(LastModified) }
      }
    }
  }

  /**
   * The names between `start` and the next slash.
   * @param after - a name: only those that follow it
   */
  async * listNames (start: string, after?: string): AsyncGenerator<string> {
    // Everything below a name comes before its slash with the last character.
    const skipped = after === undefined ? {} : { StartAfter: this.pathOf(`${start}${after}/\u{10ffff}`) }
    for await (const page of this.#pages({ Prefix: this.pathOf(start), Delimiter: '/', ...skipped })) {
      for (const { Prefix = '' } of page.CommonPrefixes ?? []) yield Prefix.slice(this.pathOf(start).length, -1)
    }
  }

  /** @returns the id of the multipart upload */
  async createMultipart (key: string, properties: ObjectProperties): Promise<string> {
    const command = new CreateMultipartUploadCommand({ ...properties, ...this.#object(key) })
    const { UploadId } = await this.#send((options) => this.#client.send(command, options))
    return String(UploadId)
  }

  /** @returns the ETag of the part */
  async uploadPart (key: string, upload: string, number: number, bytes: Buffer): Promise<string> {
    const command = new UploadPartCommand({ ...this.#object(key), UploadId: upload, PartNumber: number, Body: bytes })
    const { ETag } = await this.#send((options) => this.#client.send(command, options))
    return String(ETag)
  }

  /**
   * Makes a range of another object a part, without its bytes coming here.
   * @returns the ETag of the part
   */
  async copyPart (
    key: string, upload: string, number: number, source: { key: string, start: number, bytes: number, isWhole: boolean }
  ): Promise<string> {
    const path = this.pathOf(source.key).split('/').map(encodeURIComponent).join('/')
    const command = new UploadPartCopyCommand({
      ...this.#object(key),
      UploadId: upload,
      PartNumber: number,
      CopySource: `${encodeURIComponent(this.name)}/${path}`,
      ...!source.isWhole && { CopySourceRange: rangeOf(source) }
    })
    const { CopyPartResult } = await this.#send((options) => this.#client.send(command, options))
    return String(CopyPartResult?.ETag)
  }

  async completeMultipart (key: string, upload: string, etags: string[], condition: Condition): Promise<void> {
    // No checksums of the parts: some servers refuse them if the upload was created without an algorithm.
    const Parts = etags.map((ETag, i) => ({ PartNumber: i + 1, ETag }))
    const object = { ...this.#object(key), ...this.#conditionOf(condition) }
    const command = new CompleteMultipartUploadCommand({ ...object, UploadId: upload, MultipartUpload: { Parts } })
    await this.#send((options) => this.#client.send(command, options))
  }

  async abortMultipart (key: string, upload: string): Promise<void> {
    const command = new AbortMultipartUploadCommand({ ...this.#object(key), UploadId: upload })
    await this.#ifExists((options) => this.#client.send(command, options))
  }

  async * #pages (command: { Prefix: string, Delimiter?: string, StartAfter?: string }) {
    let token: string | undefined
    do {
      const next = token === undefined ? {} : { ContinuationToken: token }
      const listing = new ListObjectsV2Command({ Bucket: this.name, ...command, ...next })
      const page = await this.#send((options) => this.#client.send(listing, options))
      yield page
      token = page.NextContinuationToken
    } while (token !== undefined)
  }

  #getCommand (key: string, range: ByteRange | undefined): GetObjectCommand {
    return new GetObjectCommand({ ...this.#object(key), ...range !== undefined && { Range: rangeOf(range) } })
  }

  #object (key: string): { Bucket: string, Key: string } {
    return { Bucket: this.name, Key: this.pathOf(key) }
  }

  #conditionOf ({ isNew = false, etag }: Condition): { IfNoneMatch?: string, IfMatch?: string } {
    if (!this.isConditional) return {}
    return { ...isNew && { IfNoneMatch: '*' }, ...etag !== undefined && { IfMatch: etag } }
  }

  async #ifExists<T> (request: (options: { abortSignal: AbortSignal }) => Promise<T>): Promise<T | undefined> {
    try {
      return await this.#send(request)
    } catch (error) {
      if (isTusError(error) && statusOf(error.cause) === 404) return undefined
      throw error
    }
  }

  /** @throws ConditionFailed, FST_TUS_STORE_UNAVAILABLE, or FST_TUS_STORE_FAILED with the error as its `cause` */
  async #send<T> (request: (options: { abortSignal: AbortSignal }) => Promise<T>): Promise<T> {
    try {
      return await retry(() => withTimeout(request, this.#attemptTime), this.#retryTime)
    } catch (error) {
      const status = statusOf(error)
      if (status === 412) throw new ConditionFailed()
      const isRefused = status !== undefined && status < 500
      throw new (isRefused ? errors.StoreFailed : errors.StoreUnavailable)({ cause: error })
    }
  }
}

/** The signal does not end a response whose body is still being read after `request` has resolved. */
async function withTimeout<T> (
  request: (options: { abortSignal: AbortSignal }) => Promise<T>, time: number
): Promise<T> {
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(), time)
  try {
    return await request({ abortSignal: controller.signal })
  } finally {
    clearTimeout(timer)
  }
}

function rangeOf ({ start, bytes }: ByteRange): string {
  return `bytes=${start}-${start + bytes - 1}`
}
