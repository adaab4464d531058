import { once } from 'node:events'
import { extname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { settings } from '../settings.ts'
import { DemoError } from './errors.ts'
import { launch } from './processes.ts'

/** The server in a separate process. */
export interface Child {
  pid: number
  endpoint: string
  /** Ends the process without warning, like a crash; resolves once it has ended. */
  kill (): Promise<void>
}

/** Starts the server with nothing but these settings, and waits until it listens. */
export async function startChild (env: NodeJS.ProcessEnv): Promise<Child> {
  // Like the demo itself: cli.ts with tsx in development, cli.js once built.
  const cli = join(import.meta.dirname, `../cli${extname(import.meta.filename)}`)
  const unset = Object.fromEntries(Object.keys(settings).map(name => [name, '']))
  const child = launch(process.execPath, [...process.execArgv, cli], { env: { ...process.env, ...unset, ...env } })
  const gone = once(child, 'close')
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
