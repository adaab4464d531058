import type { EventEmitter } from 'node:events'
import { FileStore } from '@tus/file-store'
import type { KvStore } from '../../types.ts'

interface TusFileStoreOptions {
  directory: string
  configstore: KvStore
  expirationPeriodInMilliseconds: number
}

/** What is left of the store of `@tus/file-store` where every method that touches a file is replaced. */
interface TusFileStoreBase extends EventEmitter {
  directory: string
  configstore: KvStore
  extensions: string[]
  hasExtension (extension: string): boolean
  /** In ms; 0 for never. */
  getExpiration (): number
}

class QuietFileStore extends FileStore {}

// The base class makes the directory again, at a time when nobody can catch what it throws.
Object.defineProperty(QuietFileStore.prototype, 'checkOrCreateDirectory', { value: () => {} })

/** The base class without its own types: they need those of `ioredis`, and so would every app that checks libraries. */
export const TusFileStore = QuietFileStore as unknown as new (options: TusFileStoreOptions) => TusFileStoreBase
