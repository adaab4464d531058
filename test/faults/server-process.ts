import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'
import type { FastifyTusOptions } from '../../plugin/index.ts'

const script = new URL('measured-server.ts', import.meta.url).pathname

export interface ServerProcess {
  child: ChildProcess
  url: string
  /** Its log and its stderr. */
  said: () => string
  start (): Promise<{ rss: number }>
  /**
   * `blocked`: the longest time that the event loop was blocked, in ms, without the time taken by other processes.
   * `late` and `p99`: the same by `monitorEventLoopDelay`, including it. `rss` in bytes.
   */
  measures (): Promise<{ blocked: number, late: number, p99: number, rss: number, connections: number }>
  stop (): Promise<number | null>
}

/** Runs `measured-server.ts`; `before` is a command that runs a command: `['prlimit', '--nofile=64']`. */
export async function startServer (t: Test, options: FastifyTusOptions, before: string[] = []): Promise<ServerProcess> {
  // Without the NODE_OPTIONS of tap: they end a process on signals that Node.js ignores.
  const child = spawn('env', [
    '-u', 'NODE_OPTIONS', ...before, process.execPath, '--expose-gc', '--import', 'tsx', script
  ], { env: { ...process.env, OPTIONS: JSON.stringify(options) }, stdio: ['ignore', 'pipe', 'pipe'] })
  t.teardown(() => child.kill('SIGKILL'))
  let said = ''
  child.stderr?.on('data', (data) => { said += String(data) })
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })
  lines.on('line', (line) => { said += `${line}\n` })
  const [url] = await Promise.race([once(lines, 'line'), once(child, 'exit').then(() => { throw new Error(said) })])
  const ask = async <T> (path: string) => {
    const response = await fetch(url + path, { headers: { connection: 'close' } })
    return await response.json() as T
  }
  return {
    child,
    url,
    said: () => said,
    start: () => ask('/start'),
    measures: () => ask('/measures'),
    stop: async () => {
      child.kill('SIGTERM')
      if (child.exitCode === null) await once(child, 'exit')
      return child.exitCode
    }
  }
}
