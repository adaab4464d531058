import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { LocalLocker, MemoryLocker } from '../plugin/index.ts'
import type { DataStore, FastifyTusOptions, Locker } from '../plugin/index.ts'
import { BucketList } from './bucket-list.ts'
import type { Config, RedisConfig, S3Config } from './config.ts'
import { StartError } from './errors.ts'
import { ListedFileStore } from './listed-store.ts'
import type { Page } from './listed.ts'

/** The sorted uploads of a store. */
export interface Uploads {
  /** @param before - the `next` of the previous page */
  page (limit: number, before?: string): Promise<Page>
}

/** A store or a locker that the settings choose. */
interface Engine {
  /** For the log. */
  name: string
  /** Rejects if it cannot be used now. */
  check (): Promise<void>
}

interface StoreEngine extends Engine {
  options: Pick<FastifyTusOptions, 'namingFunction'> & { datastore: DataStore }
  uploads: Uploads
  /** The store, if it is a directory. */
  files?: ListedFileStore
}

interface LockerEngine extends Engine {
  locker: Locker
  /** Closes its connection. */
  close (): void
}

export interface Engines {
  store: StoreEngine
  locks: LockerEngine
}

export type EngineConfig = Pick<Config, 'directory' | 'workers' | 's3' | 'redis'>

/**
 * The engines that the settings choose. Their packages are loaded only if they are needed.
 * @throws StartError if a package is missing, or Redis cannot be reached
 */
export async function createEngines (config: EngineConfig): Promise<Engines> {
  const locks = config.redis === undefined ? locksHere(config) : await locksInRedis(config.redis)
  const store = config.s3 === undefined ? filesIn(config.directory, locks.locker) : await objectsIn(config.s3)
  return { store, locks }
}

function locksHere ({ workers, directory }: EngineConfig): LockerEngine {
  const none = { check: async () => {}, close: () => {} }
  return workers > 1
    ? { ...none, locker: new LocalLocker({ directory: join(directory, '.locks') }), name: 'this machine' }
    : { ...none, locker: new MemoryLocker(), name: 'this process' }
}

async function locksInRedis ({ url, prefix, ttl }: RedisConfig): Promise<LockerEngine> {
  const { Redis } = await load(import('ioredis'), 'REDIS_URL (--redis-url)', 'ioredis')
  const { RedisLocker } = await import('../plugin/locks/redis/index.ts')
  const client = new Redis(url, { lazyConnect: true })
  let reason = new Error('no response')
  // The locker and /readyz report later ones.
  client.on('error', (error: Error) => { reason = error })
  await client.connect().catch((error: Error) => {
    client.disconnect()
    throw new StartError(`REDIS_URL (--redis-url) cannot be reached: ${reason.message}`, { cause: error })
  })
  return {
    locker: new RedisLocker({ client, prefix, ttl }),
    name: `Redis at ${new URL(url).host}`,
    check: async () => {
      if (client.status !== 'ready') throw new Error('Redis cannot be reached', { cause: reason })
    },
    close: () => client.disconnect()
  }
}

function filesIn (directory: string, locker: Locker): StoreEngine {
  const files = new ListedFileStore({ directory, locker })
  return {
    options: { datastore: files },
    uploads: files.uploads,
    files,
    name: `directory ${directory}`,
    check: async () => await access(directory, constants.R_OK | constants.W_OK)
  }
}

async function objectsIn (
  { bucket, endpoint, region, prefix, pathStyle, segmentSize, memory }: S3Config
): Promise<StoreEngine> {
  const loading = import('../plugin/stores/s3/index.ts')
  const { S3Store } = await load(loading, 'S3_BUCKET (--s3-bucket)', '@aws-sdk/client-s3')
  const clientConfig = {
    ...endpoint !== undefined && { endpoint },
    ...region !== undefined && { region },
    forcePathStyle: pathStyle
  }
  const datastore = new S3Store({ bucket, prefix, clientConfig, segmentSize, memory })
  const uploads = new BucketList(datastore)
  return {
    options: { datastore, namingFunction: () => uploads.newId() },
    uploads,
    name: `bucket ${bucket}${endpoint === undefined ? '' : ` at ${endpoint}`}`,
    check: async () => await datastore.ping()
  }
}

/** @throws StartError if the package is not installed */
export async function load<T> (loading: Promise<T>, setting: string, name: string): Promise<T> {
  try {
    return await loading
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new StartError(`${setting} needs a package: npm install ${name}`, { cause: error })
  }
}
