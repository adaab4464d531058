import type { Durability } from '../../options.ts'
import type { FailedSyncs } from './failed-sync.ts'
import type { FileCache } from './file-cache.ts'
import type { FileRecords } from './records.ts'

/** What a file store and its appends share. */
export interface StoreState {
  readonly durability: Durability
  readonly records: FileRecords
  readonly cache: FileCache
  readonly failedSyncs: FailedSyncs
  /** Uploads with an append under way in this process. */
  readonly appending: Set<string>
  /** Complete uploads that this process has synced, until their finish hook has run. */
  readonly synced: Set<string>
}
