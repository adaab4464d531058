import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Test } from 'tap'
import { freePort } from '../peers/free-port.ts'

/** A server that runs for one test, in a directory of its own. */
export interface Engine {
  readonly port: number
  readonly pid: number
  /** What it printed. */
  said (): string
  /** Ends the process: SIGTERM by default. Resolves once it has ended. */
  stop (signal?: NodeJS.Signals): Promise<void>
  /** Starts it again on the same port and the same directory. */
  start (): Promise<void>
  /** Ends and starts it. */
  restart (signal?: NodeJS.Signals): Promise<void>
  /** SIGSTOP: connections stay open, and nothing answers. */
  pause (): void
  /** SIGCONT */
  resume (): void
}

export interface EngineOptions {
  program: string
  /** The arguments of the program. `directory` exists. */
  args: (port: number, directory: string) => string[]
  env?: NodeJS.ProcessEnv
  /** Whether it can be used; called until it returns or resolves with `true`. Default: whether its port is open. */
  isReady?: (port: number) => boolean | Promise<boolean>
}

/** How often another port is tried: another process may take a free port first. */
const TRIES = 3

/** The time between two looks at a starting server, in ms. */
const LOOK_MS = 5

/** The running engines: none survives a test process that ends early. */
const running = new Set<ChildProcess>()
process.on('exit', () => { for (const child of running) child.kill('SIGKILL') })

/** Starts a server, and ends it after the test. */
export async function startEngine (t: Test, options: EngineOptions): Promise<Engine> {
  const directory = mkdtempSync(path.join(tmpdir(), 'fastify-tus-engine-'))
  const engine = new EngineProcess(options, directory)
  t.teardown(async () => {
    await engine.stop('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  })
  for (let attempt = 1; ; attempt++) {
    engine.port = await freePort()
    try {
      await engine.start()
      return engine
    } catch (error) {
      if (attempt === TRIES) throw error
    }
  }
}

class EngineProcess implements Engine {
  port = 0
  readonly #options: EngineOptions
  readonly #directory: string
  #child: ChildProcess | undefined
  #said = ''

  constructor (options: EngineOptions, directory: string) {
    this.#options = options
    this.#directory = directory
  }

  get pid (): number {
    return this.#running().pid as number
  }

  said (): string {
    return this.#said
  }

  async start (): Promise<void> {
    const { program, args, env, isReady = isOpen } = this.#options
    const child = spawn(program, args(this.port, this.#directory), {
      cwd: this.#directory, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe']
    })
    this.#child = child
    running.add(child)
    child.once('exit', () => running.delete(child))
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => { this.#said += String(data) })
    await once(child, 'spawn')
    while (!await isReady(this.port)) {
      if (hasEnded(child)) throw new Error(`${program} has ended: ${this.#said}`)
      await wait(LOOK_MS)
    }
  }

  async stop (signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child
    if (child === undefined || hasEnded(child)) return
    const ended = once(child, 'exit')
    child.kill(signal)
    // A stopped process does not end before it continues.
    child.kill('SIGCONT')
    await ended
  }

  async restart (signal?: NodeJS.Signals): Promise<void> {
    await this.stop(signal)
    await this.start()
  }

  pause (): void {
    this.#running().kill('SIGSTOP')
  }

  resume (): void {
    this.#running().kill('SIGCONT')
  }

  #running (): ChildProcess {
    if (this.#child === undefined || hasEnded(this.#child)) throw new Error('The engine is not running')
    return this.#child
  }
}

function hasEnded ({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null
}

async function isOpen (port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
