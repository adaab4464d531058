import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { extname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { settings } from '../settings.ts'
import { DemoError } from './source.ts'

/** The server in a process of its own. */
export interface Child {
  pid: number
  endpoint: string
  /** Ends the process without any warning, as a crash does; resolves when it is gone. */
  kill (): Promise<void>
}

const running = new Set<ChildProcess>()

/** Starts the server and waits until it listens. */
export async function startChild (directory: string, port: number): Promise<Child> {
  // As the demo itself runs: cli.ts by tsx in development, cli.js once built.
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

/** Ends every server that still runs, at once: for the way out. */
export function killChildren (): void {
  for (const child of running) child.kill('SIGKILL')
}
