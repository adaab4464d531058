import type { EventEmitter } from 'node:events'
import { FileStore } from '@tus/file-store'
import type { KvStore } from '../../types.ts'

interface TusFileStoreOptions {
  directory: string
  configstore: KvStore
  expirationPeriodInMilliseconds: number
}

/** The store of `@tus/file-store`, whose methods that touch files are all replaced. */
interface TusFileStoreBase extends EventEmitter {
  directory: string
  configstore: KvStore
  extensions: string[]
  hasExtension (extension: string): boolean
  /** In ms; 0 for never. */
  getExpiration (): number
}

class QuietFileStore extends FileStore {}

// The base class creates the directory later, when no caller can catch its errors.
Object.defineProperty(QuietFileStore.prototype, 'checkOrCreateDirectory', { value: () => {} })

/** The base class without its own types: these need the types of `ioredis`, in every app that checks its libraries. */
export const TusFileStore = QuietFileStore as unknown as new (options: TusFileStoreOptions) => TusFileStoreBase
