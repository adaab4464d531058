import { spawn } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import type { Readable } from 'node:stream'

/** A process whose output can be read. */
export type Running = ChildProcessByStdio<null, Readable, Readable>

const running = new Set<Running>()

/** Starts a process, which `killProcesses` kills. */
export function launch (
  command: string, args: string[], options: { cwd?: string, env?: NodeJS.ProcessEnv } = {}
): Running {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  child.once('exit', () => running.delete(child))
  return child
}

/** Kills every process that is still running, before this process exits. */
export function killProcesses (): void {
  for (const child of running) child.kill('SIGKILL')
}
