import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { LocalLocker, MemoryLocker } from '../plugin/index.ts'
import type { DataStore, FastifyTusOptions, Locker } from '../plugin/index.ts'
import { BucketList } from './bucket-list.ts'
import type { Config } from './config.ts'
import { StartError } from './errors.ts'
import { ListedFileStore } from './listed-store.ts'
import type { Page } from './listed.ts'

/** The sorted uploads of a store. */
export interface Uploads {
  /** @param before - the `next` of the previous page */
  page (limit: number, before?: string): Promise<Page>
}

/** The store and the locker of the server. */
export interface Engines {
  /** The options of the plugin. */
  options: Pick<FastifyTusOptions, 'namingFunction'> & { datastore: DataStore, locker: Locker }
  uploads: Uploads
  /** The store, if it is a directory. */
  files: ListedFileStore | undefined
  /** For the log: the store and the locker that are in use. */
  names: { store: string, locker: string }
  /** Rejects if an upload could not be stored now. */
  check (): Promise<void>
}

export type EngineConfig = Pick<Config, 'directory' | 'workers' | 's3'>

/**
 * The engines that the settings choose. Their packages are loaded only if they are needed.
 * @throws StartError if a package is missing
 */
export async function createEngines (config: EngineConfig): Promise<Engines> {
  const locker = createLocker(config)
  return config.s3 === undefined ? filesIn(config, locker) : await objectsIn(config.s3, locker)
}

interface NamedLocker {
  locker: Locker
  name: string
}

function createLocker ({ workers, directory }: EngineConfig): NamedLocker {
  return workers > 1
    ? { locker: new LocalLocker({ directory: join(directory, '.locks') }), name: 'this machine' }
    : { locker: new MemoryLocker(), name: 'this process' }
}

function filesIn ({ directory }: EngineConfig, { locker, name }: NamedLocker): Engines {
  const files = new ListedFileStore({ directory, locker })
  return {
    options: { datastore: files, locker },
    uploads: files.uploads,
    files,
    names: { store: `directory ${directory}`, locker: name },
    check: async () => await access(directory, constants.R_OK | constants.W_OK)
  }
}

async function objectsIn (
  { bucket, endpoint, region, prefix, pathStyle, segmentSize, memory }: NonNullable<Config['s3']>,
  { locker, name }: NamedLocker
): Promise<Engines> {
  const loading = import('../plugin/stores/s3/index.ts')
  const { S3Store } = await load(loading, 'S3_BUCKET (--s3-bucket)', '@aws-sdk/client-s3')
  const clientConfig = {
    ...endpoint !== undefined && { endpoint },
    ...region !== undefined && { region },
    forcePathStyle: pathStyle
  }
  const store = new S3Store({ bucket, prefix, clientConfig, segmentSize, memory })
  const uploads = new BucketList(store)
  return {
    options: { datastore: store, locker, namingFunction: () => uploads.newId() },
    uploads,
    files: undefined,
    names: { store: `bucket ${bucket}${endpoint === undefined ? '' : ` at ${endpoint}`}`, locker: name },
    check: async () => await store.ping()
  }
}

/** @throws StartError if the package is not installed */
async function load<T> (loading: Promise<T>, setting: string, name: string): Promise<T> {
  try {
    return await loading
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new StartError(`${setting} needs a package: npm install ${name}`, { cause: error })
  }
}
