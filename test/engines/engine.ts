import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Test } from 'tap'
import { hasEnded, startOnFreePort, startProgram } from '../../src/demo/engines/start.ts'
import type { ProgramOptions } from '../../src/demo/engines/start.ts'
import { killProcesses } from '../../src/demo/processes.ts'
import type { Running } from '../../src/demo/processes.ts'

/** A server that runs for one test, in a directory of its own. */
export interface Engine {
  readonly port: number
  readonly pid: number
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

// No engine survives a test process that ends early.
process.on('exit', killProcesses)

/** Starts a server, and ends it after the test. */
export async function startEngine (t: Test, options: ProgramOptions): Promise<Engine> {
  const directory = mkdtempSync(path.join(tmpdir(), 'fastify-tus-engine-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  const { child, port } = await startOnFreePort(options, directory)
  const engine = new EngineProcess(options, directory, child, port)
  t.teardown(async () => await engine.stop('SIGKILL'))
  return engine
}

class EngineProcess implements Engine {
  readonly port: number
  readonly #options: ProgramOptions
  readonly #directory: string
  #child: Running

  constructor (options: ProgramOptions, directory: string, child: Running, port: number) {
    this.#options = options
    this.#directory = directory
    this.#child = child
    this.port = port
  }

  get pid (): number {
    return this.#running().pid as number
  }

  async start (): Promise<void> {
    this.#child = await startProgram(this.#options, this.port, this.#directory)
  }

  async stop (signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child
    if (hasEnded(child)) return
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

  #running (): Running {
    if (hasEnded(this.#child)) throw new Error('The engine is not running')
    return this.#child
  }
}
