import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { DemoError } from '../errors.ts'
import { launch } from '../processes.ts'
import type { Running } from '../processes.ts'
import { freePort } from './free-port.ts'

export interface ProgramOptions {
  program: string
  /** The arguments of the program. `directory` exists. */
  args: (port: number, directory: string) => string[]
  env?: NodeJS.ProcessEnv
  /** Whether it can be used; called until it returns or resolves with `true`. Default: whether its port is open. */
  isReady?: (port: number) => boolean | Promise<boolean>
}

/** The time between two looks at a starting server, in ms. */
const LOOK_MS = 5

/** Starts a server on a free port of the loopback interface. Tries again: another process may take the port first. */
export async function startOnFreePort (
  options: ProgramOptions, directory: string, tries = 3
): Promise<{ child: Running, port: number }> {
  const port = await freePort()
  try {
    return { child: await startProgram(options, port, directory), port }
  } catch (error) {
    if (tries === 1) throw error
    return await startOnFreePort(options, directory, tries - 1)
  }
}

/**
 * Starts a server, and waits until it is ready.
 * @throws DemoError if it ends before
 */
export async function startProgram (
  { program, args, env, isReady = isOpen }: ProgramOptions, port: number, directory: string
): Promise<Running> {
  const child = launch(program, args(port, directory), { cwd: directory, env: { ...process.env, ...env } })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => { output += String(data) })
  await once(child, 'spawn')
  while (!await isReady(port)) {
    if (hasEnded(child)) throw new DemoError(`${program} has ended: ${output}`)
    await wait(LOOK_MS)
  }
  return child
}

export function hasEnded ({ exitCode, signalCode }: Running): boolean {
  return exitCode !== null || signalCode !== null
}

/** Whether a server accepts connections. */
export function isOpen (port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    socket.once('error', () => resolve(false))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}
