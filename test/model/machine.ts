import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import type { ClockStep } from './clock.ts'
import type { Messages, Orders } from './server.ts'
import type { Served } from './storage/storage.ts'

const env = {
  ...process.env,
  // tsx compiles the sources differently from tap: merged coverage would count every line as covered.
  _TAPJS_PROCESSINFO_COVERAGE_: '0',
  // The SDK warns about older versions of Node.js; any other output is a failure.
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true'
}

const script = path.join(import.meta.dirname, 'server.ts')

export interface MachineOptions {
  /** The lifetime of an unfinished upload, in ms. */
  period: number
  /** The time between two sweeps, in ms; 0: only one at startup. */
  sweepInterval: number
  /** How many processes serve the storage; requests take turns. Default 1. */
  processes?: number
  /** The error of the clock of each process, in ms. Default 0. */
  clockErrors?: number[]
}

/** Dates in headers have a resolution of one second. */
const DATE_MS = 2000

/** A process of the server, and its port. */
interface Server {
  child: ChildProcess
  port: number
  clockError: number
}

/** The server as separate processes, which can be killed and started again. */
export class Machine {
  starts = 0
  readonly #options: MachineOptions
  readonly #servers: Server[] = []
  /** Loaded in advance, so that a start does not take a second. */
  #spare = boot()
  #steps: ClockStep[] = []
  #served: Served | undefined
  #stderr = ''
  #turn = 0

  constructor (options: MachineOptions) {
    this.#options = options
  }

  /**
   * Whether a request without a response may take effect after a later one: the other process may not have read it yet.
   */
  get isLate (): boolean {
    return (this.#options.processes ?? 1) > 1
  }

  /** How far the times of two processes may differ, in ms. */
  get slack (): number {
    const { clockErrors = [] } = this.#options
    return DATE_MS + Math.max(0, ...clockErrors) - Math.min(0, ...clockErrors)
  }

  /** The error of the server's clock, in ms, in addition to that of each process. */
  get movedBy (): number {
    return this.#steps.reduce((sum, { by }) => sum + by, 0)
  }

  /** The origin of the next process. */
  get base (): string {
    const { port } = this.#servers[this.#turn++ % this.#servers.length] ?? { port: 0 }
    return `http://127.0.0.1:${port}`
  }

  /** The problems of the server: errors that it logged, and the reasons for ends. Reading clears them. */
  takeProblems (): string {
    const ended = this.#servers.map(({ child: { exitCode, signalCode } }) =>
      exitCode !== null || signalCode !== null ? `the process ended: ${exitCode ?? signalCode}\n` : '')
    const problems = this.#stderr + ended.join('')
    this.#stderr = ''
    return problems
  }

  /** Starts over with another storage, and with a right clock. */
  async moveTo (served: Served): Promise<void> {
    this.#steps = []
    this.#served = served
    for (const server of this.#servers) server.port = await this.#serve(server.child, server.clockError)
    await this.start()
  }

  /** Starts the processes that do not run. */
  async start (): Promise<void> {
    while (this.#servers.length < (this.#options.processes ?? 1)) {
      const { child, ready } = this.#spare
      this.#spare = boot()
      await ready
      child.ref()
      child.stderr?.on('data', (text) => { this.#stderr += String(text) })
      this.starts++
      const clockError = this.#freeClockError()
      this.#servers.push({ child, port: await this.#serve(child, clockError), clockError })
    }
  }

  /** Kills the process that has received the latest request. */
  async kill (): Promise<void> {
    const server = this.#take()
    server.kill('SIGKILL')
    await once(server, 'exit')
  }

  /** Lets the server die as if killed, at the next call of the finish hook, or of the update that records it. */
  async dieAt (where: 'hook' | 'mark', work: () => Promise<unknown>): Promise<void> {
    const [{ child }] = this.#servers as [Server]
    child.send({ dieAt: where } satisfies Orders)
    await Promise.all([once(child, 'exit'), work()])
    this.#servers.shift()
  }

  /** @returns the exit code */
  async shutDown (): Promise<number | null> {
    const server = this.#take()
    server.kill('SIGTERM')
    await once(server, 'exit')
    return server.exitCode
  }

  async stepClock (by: number): Promise<void> {
    const steps = await Promise.all(this.#servers.map(({ child }) => this.#ask({ step: by }, 'stepped', child)))
    this.#steps.push(steps[0]?.stepped as ClockStep)
  }

  /** Resolves when a sweep that began after this call has ended. */
  async swept (): Promise<void> {
    await Promise.all(this.#servers.map(async ({ child }) => {
      // The first one may already have been running.
      await this.#ask({}, 'swept', child)
      await this.#ask({}, 'swept', child)
    }))
  }

  async end (): Promise<void> {
    for (const child of [...this.#servers.map(({ child }) => child), this.#spare.child]) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      child.ref()
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
  }

  #take (): ChildProcess {
    const [server] = this.#servers.splice((this.#turn + this.#servers.length - 1) % this.#servers.length, 1)
    return (server as Server).child
  }

  /** A process that replaces another one has its error. */
  #freeClockError (): number {
    const used = this.#servers.map(({ clockError }) => clockError)
    return this.#options.clockErrors?.find((error) => !used.includes(error)) ?? 0
  }

  /** @returns the port */
  async #serve (server: ChildProcess, clockError: number): Promise<number> {
    const { period, sweepInterval } = this.#options
    const steps = [{ at: 0, by: clockError }, ...this.#steps]
    const orders = { serve: { served: this.#served as Served, period, sweepInterval, steps } }
    const { port } = await this.#ask(orders, 'port', server)
    return port as number
  }

  /** Sends an order, and waits for the message that confirms it. */
  async #ask (orders: Orders, wanted: keyof Messages, server: ChildProcess): Promise<Messages> {
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
    env,
    stdio: ['ignore', 'inherit', 'pipe', 'ipc']
  })
  // A spare process does not keep the tests alive.
  child.channel?.unref()
  child.unref()
  return { child, ready: once(child, 'message') }
}
