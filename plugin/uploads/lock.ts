import { errors } from '../errors.ts'
import type { Lock } from '../types.ts'
import type { Scope } from './context.ts'
import { Stop } from './release-signal.ts'

/** What is done while an upload is locked. A later request or the end of the app may ask it to let go. */
type Work<T> = (stop: Stop) => Promise<T>

/**
 * Does something with an upload while nobody else does. Whoever holds the upload is asked to let go.
 * @throws FST_TUS_LOCKED where the upload is in use for longer than `lockTimeout`
 */
export async function withLock<T> (scope: Scope, id: string, work: Work<T>): Promise<T> {
  const stop = new Stop()
  const lock = await acquire(scope, id, stop)
  return await hold(scope, id, lock, stop, work)
}

/**
 * Like `withLock`, but disturbs nobody.
 * @returns `undefined` where the upload is in use, and nothing was done
 */
export async function withFreeLock<T> (scope: Scope, id: string, work: Work<T>): Promise<T | undefined> {
  const stop = new Stop()
  const lock = await acquire(scope, id, stop, true)
  return lock && await hold(scope, id, lock, stop, work)
}

async function hold<T> (scope: Scope, id: string, lock: Lock, stop: Stop, work: Work<T>): Promise<T> {
  // It may have waited until the app began to close.
  if (scope.shutdown.aborted) stop.request(new errors.Shutdown())
  const doing = work(stop).finally(() => release(scope, lock))
  scope.running.set(stop, doing.then(() => {}, () => {}))
  try {
    return await doing
  } finally {
    scope.running.delete(stop)
    // Whatever is done to an upload is done under its lock.
    scope.followers.changed(id)
  }
}

/** What was done is done, whatever becomes of the lock. */
async function release (scope: Scope, lock: Lock): Promise<void> {
  try {
    await lock.unlock()
  } catch (err) {
    scope.log.error({ err }, 'unlock failed')
  }
}

/** @returns the lock that is held now; `undefined` where it must be free and is not */
async function acquire (scope: Scope, id: string, stop: Stop): Promise<Lock>
async function acquire (scope: Scope, id: string, stop: Stop, mustBeFree: true): Promise<Lock | undefined>
async function acquire (
  scope: Scope, id: string, stop: Stop, mustBeFree = false
): Promise<Lock | undefined> {
  const displace = () => stop.request(new errors.Displaced())
  try {
    const lock = scope.locker.newLock(id)
    if (lock.tryLock !== undefined) {
      if (await lock.tryLock(displace)) return lock
      if (mustBeFree) return undefined
    }
    await waitForLock(scope, lock, displace)
    return lock
  } catch (cause) {
    throw new errors.Locked({ cause })
  }
}

async function waitForLock (scope: Scope, lock: Lock, displace: () => void): Promise<void> {
  const waiting = new AbortController()
  const timer = setTimeout(() => waiting.abort(new Error('The lock was not had in time')), scope.settings.lockTimeout)
  await lock.lock(waiting.signal, displace).finally(() => clearTimeout(timer))
}
