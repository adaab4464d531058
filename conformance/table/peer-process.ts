import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../src/demo/engines/free-port.ts'
import { Suite } from '../suite.ts'
import { Http1Transport } from '../wire.ts'
import { UNCAUGHT } from './uncaught.ts'
import type { PeerConfiguration } from './peers.ts'

/** The time limit for the start of a server, in ms. */
const START = 20_000

/** A running server with its suite. */
export interface PeerProcess {
  suite: Suite
  /** Whether the server has ended without `end()`. */
  readonly hasEnded: boolean
  /** The number of uncaught exceptions that the server survived. */
  readonly uncaught: number
  /** Ends the server. */
  end (): Promise<void>
}

/** Starts a server and waits for its first response. */
export async function startPeer (
  path: string, { command, known }: PeerConfiguration, directory: string
): Promise<PeerProcess> {
  await mkdir(directory, { recursive: true })
  const port = await freePort()
  const [file, ...args] = command(directory, port)
  const child = spawn(file, args, { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] })
  let uncaught = 0
  createInterface(child.stderr).on('line', line => { if (line.startsWith(UNCAUGHT)) uncaught++ })
  const ended = once(child, 'exit')
  const end = async (): Promise<void> => {
    child.kill('SIGKILL')
    await ended
  }

  const url = new URL(`http://127.0.0.1:${port}${path}`)
  for (const until = Date.now() + START; ;) {
    try {
      const suite = await Suite.open(url, new Http1Transport(url), known)
      return {
        suite,
        get hasEnded () { return child.exitCode !== null || child.signalCode !== null },
        get uncaught () { return uncaught },
        end
      }
    } catch (error) {
      if (Date.now() > until) {
        await end()
        throw error
      }
      await sleep(100)
    }
  }
}
