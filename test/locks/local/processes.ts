import { fork } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import type { Test } from 'tap'
import type { Order, Report } from './child.ts'

const script = path.join(import.meta.dirname, 'child.ts')

/** A process with a LocalLocker. */
export interface LockingProcess {
  readonly pid: number
  /** Called for each lock that `hammer` has held. */
  onHeld: (others: number[]) => void
  order (order: Order): Promise<unknown>
  /** Resolves once a holder in it is asked to release a lock. */
  asked (lock: string): Promise<void>
  signal (signal: NodeJS.Signals): void
  /** Ends it without any warning. */
  kill (): Promise<void>
  /** Closes the locker, after which the process ends. */
  close (): Promise<void>
}

export function startProcess (t: Test, directory: string): LockingProcess {
  const child = fork(script, [directory], {
    execArgv: ['--import', 'tsx'],
    // tsx compiles the sources differently from tap: merged coverage would count every line as covered.
    env: { ...process.env, _TAPJS_PROCESSINFO_COVERAGE_: '0' }
  })
  t.teardown(() => child.kill('SIGKILL'))
  const closed = once(child, 'close')
  const waiting = new Map<number, (result: unknown) => void>()
  const asked = new Map<string, number>()
  let onAsked = () => {}
  let orders = 0
  child.on('message', (report: Report) => {
    if ('held' in report) return running.onHeld(report.others)
    if ('done' in report) return waiting.get(report.done)?.(report.result)
    asked.set(report.asked, (asked.get(report.asked) ?? 0) + 1)
    onAsked()
  })
  const running: LockingProcess = {
    pid: child.pid as number,
    onHeld: () => {},
    order: (order) => new Promise((resolve) => {
      const number = orders++
      waiting.set(number, resolve)
      child.send({ number, order })
    }),
    asked: (lock) => new Promise((resolve) => {
      onAsked = () => { if (asked.has(lock)) resolve() }
      onAsked()
    }),
    signal: (signal) => { child.kill(signal) },
    async kill () {
      child.kill('SIGKILL')
      await closed
    },
    async close () {
      child.send({ number: orders++, order: { close: true } })
      await closed
    }
  }
  return running
}
