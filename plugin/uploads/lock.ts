import { errors } from '../errors.ts'
import type { Lock } from '../types.ts'
import type { Scope } from './scope.ts'

/**
 * Does something with an upload while nobody else does. Whoever holds the upload is asked to let go.
 * @param work - is given a signal that aborts, with the error to answer, when a later request or the end of the app
 * asks it to let go
 * @throws FST_TUS_LOCKED where the upload is in use for longer than `lockTimeout`
 */
export async function withLock<T> (scope: Scope, id: string, work: (stop: AbortSignal) => Promise<T>): Promise<T> {
  const holder = new AbortController()
  const lock = scope.locker.newLock(id)
  await acquire(scope, lock, () => holder.abort(new errors.Displaced()))
  scope.running.add(holder)
  try {
    return await work(holder.signal)
  } finally {
    scope.running.delete(holder)
    await lock.unlock()
  }
}

/** Like `withLock`, but disturbs nobody: where the upload is in use, nothing is done. */
export async function withFreeLock (scope: Scope, id: string, work: () => Promise<void>): Promise<void> {
  const lock = scope.locker.newLock(id)
  if (lock.tryLock === undefined) await acquire(scope, lock, () => {})
  else if (!await lock.tryLock()) return
  try {
    await work()
  } finally {
    await lock.unlock()
  }
}

async function acquire (scope: Scope, lock: Lock, requestRelease: () => void): Promise<void> {
  const waiting = new AbortController()
  const timer = setTimeout(() => waiting.abort(new Error('The lock was not had in time')), scope.settings.lockTimeout)
  try {
    await lock.lock(waiting.signal, requestRelease)
  } catch (cause) {
    throw new errors.Locked({ cause })
  } finally {
    clearTimeout(timer)
  }
}
