import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'
import type { FastifyTusOptions } from '../../plugin/index.ts'

const script = new URL('measured-server.ts', import.meta.url).pathname

export interface ServerProcess {
  child: ChildProcess
  url: string
  /** What it wrote to its log and to stderr. */
  said: () => string
  start (): Promise<{ rss: number }>
  /**
   * `blocked`: the longest time that the event loop was blocked, in ms, but for what other processes took of it. `late`
   * and `p99`: that of `monitorEventLoopDelay`, with it. `rss` in bytes.
   */
  measures (): Promise<{ blocked: number, late: number, p99: number, rss: number, connections: number }>
  stop (): Promise<number | null>
}

/** Runs `measured-server.ts`; `before` is a command that runs a command: `['prlimit', '--nofile=64']`. */
export async function startServer (t: Test, options: FastifyTusOptions, before: string[] = []): Promise<ServerProcess> {
  // Not with what tap puts into its children by NODE_OPTIONS: it ends a process at signals that Node.js ignores.
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
    const answer = await fetch(url + path, { headers: { connection: 'close' } })
    return await answer.json() as T
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
