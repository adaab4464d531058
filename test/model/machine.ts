import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import type { ClockStep } from './clock.ts'
import type { Messages, Orders } from './server.ts'

const script = path.join(import.meta.dirname, 'server.ts')

export interface MachineOptions {
  /** The lifetime of an unfinished upload, in ms. */
  period: number
  /** The time between two sweeps, in ms; 0: only one at startup. */
  sweepInterval: number
}

/** The directory of the uploads of one run, and the file of notes about hook calls. */
export interface Place {
  directory: string
  notes: string
}

/** The server as a separate process, which can be killed and started again. */
export class Machine {
  port = 0
  starts = 0
  readonly #options: MachineOptions
  #server: ChildProcess | undefined
  /** Loaded in advance, because a start takes about a second. */
  #spare = boot()
  #steps: ClockStep[] = []
  #place: Place | undefined
  #stderr = ''

  constructor (options: MachineOptions) {
    this.#options = options
  }

  /** The error of the server's clock, in ms. */
  get movedBy (): number {
    return this.#steps.reduce((sum, { by }) => sum + by, 0)
  }

  get base (): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** The problems of the server: errors that it logged, and the reason for its end. Reading clears them. */
  takeProblems (): string {
    const { exitCode = null, signalCode = null } = this.#server ?? {}
    const ended = exitCode !== null || signalCode !== null ? `the process ended: ${exitCode ?? signalCode}\n` : ''
    const problems = this.#stderr + ended
    this.#stderr = ''
    return problems
  }

  /** Starts over in another place, with a right clock. */
  async moveTo (place: Place): Promise<void> {
    this.#steps = []
    this.#place = place
    if (this.#server === undefined) await this.start()
    else await this.#serve(this.#server)
  }

  async start (): Promise<void> {
    const server = this.#spare
    this.#spare = boot()
    await server.ready
    server.child.ref()
    server.child.stderr?.on('data', (text) => { this.#stderr += String(text) })
    this.#server = server.child
    this.starts++
    await this.#serve(server.child)
  }

  async kill (): Promise<void> {
    const server = this.#take()
    server.kill('SIGKILL')
    await once(server, 'exit')
  }

  /** Lets the server die as if killed, at the next call of the finish hook, or of the update that records it. */
  async dieAt (where: 'hook' | 'mark', work: () => Promise<unknown>): Promise<void> {
    const server = this.#take()
    server.send({ dieAt: where } satisfies Orders)
    await Promise.all([once(server, 'exit'), work()])
  }

  /** @returns the exit code */
  async shutDown (): Promise<number | null> {
    const server = this.#take()
    server.kill('SIGTERM')
    await once(server, 'exit')
    return server.exitCode
  }

  async stepClock (by: number): Promise<void> {
    const { stepped } = await this.#ask({ step: by }, 'stepped')
    this.#steps.push(stepped as ClockStep)
  }

  /** Resolves when a sweep that began after this call has ended. */
  async swept (): Promise<void> {
    // The first one may already have been running.
    await this.#ask({}, 'swept')
    await this.#ask({}, 'swept')
  }

  async end (): Promise<void> {
    for (const child of [this.#server, this.#spare.child]) {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) continue
      child.ref()
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
  }

  #take (): ChildProcess {
    const server = this.#server as ChildProcess
    this.#server = undefined
    return server
  }

  async #serve (server: ChildProcess): Promise<void> {
    const orders = { serve: { ...this.#place as Place, ...this.#options, steps: this.#steps } }
    const { port } = await this.#ask(orders, 'port', server)
    this.port = port as number
  }

  /** Sends an order, and waits for the message that confirms it. */
  async #ask (orders: Orders, wanted: keyof Messages, server = this.#server as ChildProcess): Promise<Messages> {
    if (Object.keys(orders).length > 0) server.send(orders)
    return await new Promise((resolve, reject) => {
      const onNews = (message: Messages) => {
        if (message[wanted] === undefined) return
        server.off('message', onNews).off('exit', onExit)
        resolve(message)
      }
      const onExit = () => reject(new Error(`the server ended before it sent "${wanted}": ${this.#stderr}`))
      server.on('message', onNews).once('exit', onExit)
    })
  }
}

function boot (): { child: ChildProcess, ready: Promise<unknown> } {
  const child = spawn(process.execPath, ['--import', 'tsx', script], {
    // tsx compiles the sources differently from tap: merged coverage would count every line as covered.
    env: { ...process.env, _TAPJS_PROCESSINFO_COVERAGE_: '0' },
    stdio: ['ignore', 'inherit', 'pipe', 'ipc']
  })
  // A spare process does not keep the tests alive.
  child.channel?.unref()
  child.unref()
  return { child, ready: once(child, 'message') }
}
