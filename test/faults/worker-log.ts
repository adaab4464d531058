/** What the log of a server with several workers says about its processes and connections. */
import { EventEmitter, on, once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

interface Line {
  level: number
  msg: string
  /** Of the process that wrote the line. */
  pid: number
  /** Of the process that has ended. */
  worker?: number
  req?: { remotePort: number }
}

const WARNING = 40

/** The only line above `info` that is expected: a killed worker. */
const ENDED = 'worker ended, starting another one'

export class WorkerLog {
  readonly #events = new EventEmitter()
  /** The process that serves a connection, by the port of the client. */
  readonly #pids = new Map<number, number>()
  /** The pids of the workers that accept connections. */
  readonly ready = new Set<number>()
  readonly problems: string[] = []

  constructor (log: Readable) {
    createInterface({ input: log }).on('line', (text) => this.#read(JSON.parse(text) as Line, text))
  }

  /** The process that has read a request from the connection; `undefined` if none has. */
  pidOf (port: number): number | undefined {
    return this.#pids.get(port)
  }

  /** A new connection may use the port of an earlier one. */
  forget (port: number): void {
    this.#pids.delete(port)
  }

  /** Resolves once the primary process has noticed the end of a worker. All lines of the worker have been read. */
  async ended (pid: number): Promise<void> {
    for await (const [ended] of on(this.#events, 'ended')) if (ended === pid) return
  }

  /** Resolves once so many workers accept connections. */
  async untilReady (count: number): Promise<void> {
    while (this.ready.size < count) await once(this.#events, 'ready')
  }

  #read ({ level, msg, pid, worker, req }: Line, text: string): void {
    if (level >= WARNING && msg !== ENDED) this.problems.push(text)
    if (msg === 'incoming request' && req !== undefined) this.#pids.set(req.remotePort, pid)
    if (msg === 'ready for uploads') {
      this.ready.add(pid)
      this.#events.emit('ready')
    }
    if (msg === ENDED && worker !== undefined) this.#events.emit('ended', worker)
  }
}
