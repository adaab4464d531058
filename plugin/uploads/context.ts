import type { FastifyBaseLogger } from 'fastify'
import type { Settings } from '../settings.ts'
import type { AbleStore } from '../stores/adapter.ts'
import type { Locker, Upload } from '../types.ts'
import type { Followers } from './followers.ts'
import type { PendingFinals } from './pending-finals.ts'
import type { SlowBodies } from './body/min-rate.ts'
import type { Stop } from './release-signal.ts'
import type { Unfinished } from './limits/upload-quota.ts'

/** What one registration of the plugin works with. */
export interface Scope {
  readonly settings: Settings
  readonly store: AbleStore
  readonly locker: Locker
  readonly log: FastifyBaseLogger
  /**
   * One for each request that holds a lock; its promise resolves when the request is done with the upload, whether its
   * client is still there or not.
   */
  readonly running: Map<Stop, Promise<void>>
  /** Final uploads that wait for their parts. */
  readonly finals: PendingFinals
  /** Those that count for `maxUploads`. */
  readonly unfinished: Unfinished
  /** Uploads whose finish hook has had its last word, where that could not be recorded; as they are to be recorded. */
  readonly unmarked: Map<string, Upload>
  /** How many bodies each client is sending, where that is limited. */
  readonly openBodies: Map<string, number>
  readonly slowBodies: SlowBodies
  /** Who follows which uploads as they change. */
  readonly followers: Followers
  /** Aborts when the app begins to close: no body is begun any more, and what takes long ends. */
  readonly shutdown: AbortSignal
}
