import { randomBytes } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { S3Client } from '@aws-sdk/client-s3'
import t from 'tap'
import type { Test } from 'tap'
import { Bucket } from '../../../plugin/stores/s3/bucket/bucket.ts'
import { S3Store, type S3StoreOptions } from '../../../plugin/stores/s3/index.ts'
import { States } from '../../../plugin/stores/s3/states/states.ts'
import type { Upload } from '../../../plugin/types.ts'
import { type FaultProxy, type FaultProxyOptions, startFaultProxy } from '../../engines/fault-proxy.ts'
import { skipWithout } from '../../engines/skip.ts'
import { startS3, type S3Engine, type S3EngineName } from '../../engines/s3.ts'

export const MIB = 1024 * 1024

/** Another one than versitygw, if it is installed. */
const engineName = (process.env['S3_ENGINE'] ?? 'versitygw') as S3EngineName

/** Why the tests of the store are skipped, if they are. */
export const skip = skipWithout(engineName)

export const STATE = /\/state(\?|$)/
/** A segment: neither a state, nor a marker, nor the object of an upload. */
export const SEGMENT = /\.tus\/[^/]+\/(?!state)/

export interface Rig {
  engine: S3Engine
  proxy: FaultProxy
  bucketName: string
  /** A store whose requests pass through the proxy. Called again, it is the store of another process. */
  open (options?: Partial<S3StoreOptions>): S3Store
  /** What the store sees, past the proxy. */
  bucket: Bucket
  states: States
  /** The keys of all objects. */
  keys (start?: string): Promise<string[]>
}

let started: Promise<S3Engine> | undefined

/** One engine for the process: each test gets a bucket of its own. A failed request is not repeated. */
export async function startRig (
  test: Test, defaults: Partial<S3StoreOptions> = {}, faults: FaultProxyOptions = {}
): Promise<Rig> {
  const engine = await (started ??= startS3(t, engineName))
  const bucketName = await engine.createBucket(`test-${randomBytes(8).toString('hex')}`)
  const proxy = await startFaultProxy(test, engine, faults)
  const clientOf = (endpoint?: string) => {
    const client = new S3Client({ ...engine.clientConfig(endpoint), maxAttempts: 1 })
    test.teardown(() => client.destroy())
    return client
  }
  const bucket = new Bucket({ client: clientOf(), name: bucketName, prefix: '', isConditional: true, retryTime: 0 })
  return {
    engine,
    proxy,
    bucketName,
    bucket,
    states: new States(bucket),
    open: (options) => new S3Store({
      bucket: bucketName, client: clientOf(proxy.endpoint), retryTime: 0, ...defaults, ...options
    }),
    keys: async (start = '') => (await collect(bucket.list(start))).map(({ key }) => key)
  }
}

export async function append (store: S3Store, id: string, ...pieces: Buffer[]): Promise<Upload> {
  const appending = await store.openAppend(await store.getUpload(id))
  for (const bytes of pieces) await appending.write([bytes], bytes.length)
  await appending.commit()
  return await store.getUpload(id)
}

export async function bytesOf (store: S3Store, id: string, range?: { start: number, end: number }): Promise<Buffer> {
  return await buffer(await store.read(id, range))
}

export async function collect<T> (items: AsyncIterable<T>): Promise<T[]> {
  const collected = []
  for await (const item of items) collected.push(item)
  return collected
}
