import path from 'node:path'
import { paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3'
import type { Test } from 'tap'
import { Bucket } from '../../../plugin/stores/s3/bucket/bucket.ts'
import { stateKey, UPLOADS } from '../../../plugin/stores/s3/bucket/keys.ts'
import { S3Store } from '../../../plugin/stores/s3/index.ts'
import { States } from '../../../plugin/stores/s3/states/states.ts'
import { removeOrphans } from '../../../plugin/stores/s3/sweeps/orphans.ts'
import { startRedis } from '../../engines/redis.ts'
import { startS3 } from '../../engines/s3.ts'
import { bytesOf, collect } from '../../stores/s3/rig.ts'
import type { NewStorage, ServedBucket, Storage, Stored } from './storage.ts'

const DAY = 24 * 3_600_000

/** Storages in a bucket; `isExclusive`: with locks in Redis. */
export async function bucketStorages (t: Test, { isExclusive }: { isExclusive: boolean }): Promise<NewStorage> {
  const engine = await startS3(t)
  const redis = isExclusive ? (await startRedis(t)).port : undefined
  const bucket = await engine.createBucket()
  const clientConfig = engine.clientConfig()
  const client = new S3Client(clientConfig)
  t.teardown(() => client.destroy())
  const directory = t.testdir()
  return async (name) => {
    const notes = path.join(directory, `${name}.notes`)
    return new BucketStorage(client, { bucket, prefix: `${name}/`, notes, clientConfig, redis })
  }
}

class BucketStorage implements Storage {
  readonly served: ServedBucket
  readonly isExclusive: boolean
  readonly mayBeOutdated = true
  readonly #client: S3Client
  readonly #bucket: Bucket
  readonly #states: States
  readonly #store: S3Store
  /** The versions of states that mark an upload as removed, and of those that do not. */
  readonly #isRemoved = new Map<string, boolean>()

  constructor (client: S3Client, served: ServedBucket) {
    const { bucket, prefix, redis } = served
    this.served = served
    this.isExclusive = redis !== undefined
    this.#client = client
    this.#bucket = new Bucket({ client, name: bucket, prefix, isConditional: true, retryTime: 10_000 })
    this.#states = new States(this.#bucket)
    this.#store = new S3Store({ client, bucket, prefix })
  }

  async look (): Promise<{ uploads: Map<string, Stored>, records: string[] }> {
    const uploads = new Map<string, Stored>()
    const records = []
    for (const [key, etag] of await this.#versions()) {
      const id = key.startsWith(UPLOADS) ? key.slice(UPLOADS.length, -'/state'.length) : key
      const isState = key === stateKey(id)
      const isObject = !key.startsWith('.')
      if (isState && !await this.#isMarkedAsRemoved(id, etag)) records.push(id)
      // A process that makes the object of an upload deletes it again if another process has deleted the upload.
      else if (!isObject || !this.isExclusive) continue
      uploads.set(id, { version: etag, read: () => bytesOf(this.#store, id) })
    }
    return { uploads, records }
  }

  async names (): Promise<string[]> {
    await removeOrphans(this.#bucket, this.#states, Date.now() + 2 * DAY)
    await collect(this.#store.due(Date.now() + 400 * DAY))
    return [...(await this.#versions()).keys()]
  }

  namesOf (id: string): string[] {
    return [id, stateKey(id)]
  }

  async #versions (): Promise<Map<string, string>> {
    const { bucket, prefix } = this.served
    const versions = new Map<string, string>()
    for await (const page of paginateListObjectsV2({ client: this.#client }, { Bucket: bucket, Prefix: prefix })) {
      for (const { Key = '', ETag } of page.Contents ?? []) versions.set(Key.slice(prefix.length), String(ETag))
    }
    return versions
  }

  /** A crash may have interrupted the deletion; a sweep completes it. */
  async #isMarkedAsRemoved (id: string, etag: string): Promise<boolean> {
    const known = this.#isRemoved.get(etag)
    if (known !== undefined) return known
    const state = await this.#states.read(id)
    const isRemoved = state === undefined || state.phase === 'removed'
    if (state !== undefined) this.#isRemoved.set(state.etag, isRemoved)
    return isRemoved
  }
}
