import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Test } from 'tap'
import { until } from '../../helper.ts'

export interface HolderProcess {
  child: ChildProcess
  /** What it has reported. */
  reports: string[]
  unlock (): void
  kill (): Promise<void>
}

/** Starts a process that acquires the lock of the upload `a`; resolves once it has made this report. */
export async function startHolder (t: Test, port: number, ttl: number, first: string): Promise<HolderProcess> {
  const child = fork(new URL('holder.ts', import.meta.url), {
    execArgv: ['--import', 'tsx'],
    // Without the NODE_OPTIONS of tap.
    env: { ...process.env, NODE_OPTIONS: '', PORT: String(port), TTL: String(ttl) }
  })
  t.teardown(() => child.kill('SIGKILL'))
  const reports: string[] = []
  child.on('message', (report) => { reports.push(String(report)) })
  await until(() => reports.includes(first))
  return {
    child,
    reports,
    unlock: () => { child.send('unlock') },
    async kill () {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
  }
}
