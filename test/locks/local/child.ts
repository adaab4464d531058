/** A process with a LocalLocker, which does what its parent asks for. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { LocalLocker } from '../../../plugin/locks/local/local-locker.ts'
import type { Lock } from '../../../plugin/types.ts'

export type Order =
  | { lock: string, timeout?: number }
  | { tryLock: string }
  | { unlock: string }
  | { tenure: string }
  | { hammer: string[] }
  | { close: true }

/** The result of an order, that the holder of a lock is asked to release it, or what `hammer` has seen. */
export type Report =
  | { done: number, result: unknown }
  | { asked: string }
  | { held: number, others: number[] }

const locker = new LocalLocker({ directory: process.argv[2] as string })
const held = new Map<string, Lock>()
const report = (report: Report) => process.send?.(report)

/** Takes locks without end, and reports those that another process has not left in order. */
async function hammer (files: string[]): Promise<never> {
  for (let held = 1; ; held++) {
    const file = files[Math.floor(Math.random() * files.length)] as string
    const lock = locker.newLock(file)
    await lock.lock(new AbortController().signal, () => {})
    const others = existsSync(file) ? [Number(readFileSync(file, 'utf8'))] : []
    writeFileSync(file, String(process.pid))
    await wait(Math.random() * 3)
    const now = existsSync(file) ? Number(readFileSync(file, 'utf8')) : NaN
    if (now !== process.pid) others.push(now)
    rmSync(file, { force: true })
    await lock.unlock()
    report({ held, others })
  }
}

async function obey (order: Order): Promise<unknown> {
  if ('lock' in order) {
    const lock = locker.newLock(order.lock)
    const signal = order.timeout === undefined ? new AbortController().signal : AbortSignal.timeout(order.timeout)
    try {
      await lock.lock(signal, () => { report({ asked: order.lock }) })
    } catch (error) {
      return (error as Error).name
    }
    held.set(order.lock, lock)
    return 'locked'
  }
  if ('tryLock' in order) {
    const lock = locker.newLock(order.tryLock)
    const isLocked = await lock.tryLock?.(() => { report({ asked: order.tryLock }) })
    if (isLocked === true) held.set(order.tryLock, lock)
    return isLocked
  }
  if ('unlock' in order) return await held.get(order.unlock)?.unlock()
  if ('tenure' in order) return locker.tenure(order.tenure)
  if ('hammer' in order) return await hammer(order.hammer)
  await locker.close()
  process.disconnect()
}

process.on('message', ({ number, order }: { number: number, order: Order }) => {
  obey(order).then((result) => {
    if (process.connected) report({ done: number, result })
  }, (error: unknown) => { throw error })
})
