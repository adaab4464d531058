/** The store and the locker of a server process. */
import { S3Client } from '@aws-sdk/client-s3'
import { Redis } from 'ioredis'
import { FileStore, LocalLocker, MemoryLocker } from '../../../plugin/index.ts'
import { RedisLocker } from '../../../plugin/locks/redis/index.ts'
import { S3Store } from '../../../plugin/stores/s3/index.ts'
import type { DataStore, Locker } from '../../../plugin/types.ts'
import { movedFs } from '../clock.ts'
import type { Served, ServedBucket, ServedDirectory } from './storage.ts'

/** How long the locks of a killed process last, in ms; a busy machine must not delay their renewal for so long. */
const TTL = 3000

export interface Engines {
  datastore: DataStore
  locker: Locker
  /** Which lines of the log are problems. */
  logLevel: 'error' | 'fatal'
  close: () => void
}

export function openEngines (served: Served): Engines {
  return 'bucket' in served ? openBucket(served) : openDirectory(served)
}

function openDirectory ({ directory, isShared }: ServedDirectory): Engines {
  const locker = isShared ? new LocalLocker({ directory: `${directory}.locks` }) : new MemoryLocker()
  const datastore = new FileStore({ directory, locker, fs: movedFs })
  return { datastore, locker, logLevel: 'error', close: () => {} }
}

/** The client corrects the time in its signatures by the clock of the S3 server. */
function openBucket ({ bucket, prefix, clientConfig, redis: port }: ServedBucket): Engines {
  const client = new S3Client(clientConfig)
  const redis = port === undefined ? undefined : new Redis({ host: '127.0.0.1', port })
  return {
    datastore: new S3Store({ client, bucket, prefix }),
    locker: redis === undefined ? new MemoryLocker() : new RedisLocker({ client: redis, prefix, ttl: TTL }),
    // Without locks, an operation also fails if another process does the same at that moment.
    logLevel: redis === undefined ? 'fatal' : 'error',
    close () {
      redis?.disconnect()
      client.destroy()
    }
  }
}
