import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { extname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { settings } from '../settings.ts'
import { DemoError } from './source.ts'

/** The server in a separate process. */
export interface Child {
  pid: number
  endpoint: string
  /** Ends the process without warning, like a crash; resolves once it has ended. */
  kill (): Promise<void>
}

const running = new Set<ChildProcess>()

/** Starts the server and waits until it listens. */
export async function startChild (directory: string, port: number): Promise<Child> {
  // Like the demo itself: cli.ts with tsx in development, cli.js once built.
  const cli = join(import.meta.dirname, `../cli${extname(import.meta.filename)}`)
  const unset = Object.fromEntries(Object.keys(settings).map(name => [name, '']))
  const child = spawn(process.execPath, [...process.execArgv, cli], {
    env: { ...process.env, ...unset, PORT: String(port), FILES_DIR: directory },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  running.add(child)
  const gone = once(child, 'close').then(() => running.delete(child))
  const complaints = text(child.stderr)

  for await (const line of createInterface(child.stdout)) {
    const { msg, endpoint } = JSON.parse(line) as { msg: string, endpoint: string }
    if (msg !== 'ready for uploads') continue
    child.stdout.resume()
    return {
      pid: child.pid as number,
      endpoint,
      async kill () {
        child.kill('SIGKILL')
        await gone
      }
    }
  }
  throw new DemoError(`The server did not start: ${await complaints}`)
}

/** Kills every server that is still running, before the demo exits. */
export function killChildren (): void {
  for (const child of running) child.kill('SIGKILL')
}
