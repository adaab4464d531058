import type { FastifyBaseLogger } from 'fastify'
import type { Engines } from '../engines.ts'
import type { Settings } from '../settings.ts'
import type { StoreAdapter } from '../stores/adapter.ts'
import { BackgroundTasks } from './background-tasks.ts'
import { MinRate } from './limits/min-rate.ts'
import { EventPublisher } from './events/events.ts'
import { findUpload, isUnfinished } from './find.ts'
import { FirstParts } from './concatenation/first-parts.ts'
import { Followers } from './events/followers.ts'
import { BodyQuota } from './limits/body-quota.ts'
import { MemoryCounter } from './limits/memory-counter.ts'
import { UploadQuota } from './limits/upload-quota.ts'
import { UploadLocks } from './locking/upload-locks.ts'
import { logEvents } from './events/log-events.ts'
import { reportProgress } from './events/progress.ts'
import { readBytes } from './read.ts'
import { referenceTo } from './state.ts'
import { settleWaitingFinals } from './concatenation/waiting-finals.ts'

/** What one registration of the plugin shares. */
export interface Context {
  readonly settings: Settings
  readonly store: StoreAdapter
  readonly locks: UploadLocks
  readonly log: FastifyBaseLogger
  /** Distinguishes the registrations that share a locker: the prefix of the routes. */
  readonly scope: string
  readonly events: EventPublisher
  readonly limits: {
    readonly uploads: UploadQuota
    readonly bodies: BodyQuota
    readonly minRate: MinRate
  }
  readonly followers: Followers
  readonly firstParts: FirstParts
  readonly background: BackgroundTasks
  /** Aborts when the app begins to close: no further body is started, and long work ends. */
  readonly shutdown: AbortSignal
}

/** @param shutdown - aborts when the app begins to close */
export function createContext (
  settings: Settings, { store, locker }: Omit<Engines, 'release'>, log: FastifyBaseLogger, scope: string,
  shutdown: AbortSignal
): Context {
  const counter = locker.counter ?? new MemoryCounter()
  const events = new EventPublisher(log)
  const context: Context = {
    settings,
    store,
    log,
    scope,
    events,
    shutdown,
    locks: new UploadLocks({ locker, timeout: settings.lockTimeout, events, log, shutdown }),
    limits: {
      uploads: new UploadQuota(settings, events, counter, scope, (id) => isUnfinished(context, id)),
      bodies: new BodyQuota(settings, counter, scope),
      minRate: new MinRate(settings)
    },
    followers: new Followers({
      find: (upload) => findUpload(context, referenceTo(upload)),
      read: (upload, range) => readBytes(context, upload, range),
      shutdown
    }, events, locker),
    firstParts: new FirstParts(),
    background: new BackgroundTasks()
  }
  logEvents(events, log)
  reportProgress(settings, events)
  settleWaitingFinals(context)
  return context
}
