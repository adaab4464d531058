/** What the log of a server with several workers says about its processes and connections. */
import { EventEmitter, on, once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

interface Line {
  level: number
  time: number
  msg: string
  /** Of the process that wrote the line. */
  pid: number
  /** Of the process that has ended. */
  worker?: number
  req?: { remotePort: number }
}

const WARNING = 40

/** The only line above `info` that is expected, of a killed worker. */
const ENDED = 'worker ended, starting another one'

export class WorkerLog {
  readonly #events = new EventEmitter()
  /** The requests by the port of the client, in order. */
  readonly #requests = new Map<number, Array<{ pid: number, time: number }>>()
  /** The pids of the workers that accept connections. */
  readonly ready = new Set<number>()
  readonly problems: string[] = []
  /** The pids of the workers that are being killed, or were. */
  readonly #killed = new Set<number>()

  constructor (log: Readable) {
    createInterface({ input: log }).on('line', (text) => this.#read(JSON.parse(text) as Line, text))
  }

  /**
   * The process that has read a request from a connection; `undefined` if none has. Earlier and later connections may
   * have the same port.
   * @param since - when the connection began
   * @param end - when it had ended
   */
  pidOf (port: number, since: number, end: number): number | undefined {
    return this.#requests.get(port)?.findLast(({ time }) => time >= since && time <= end)?.pid
  }

  /** Kills a worker. Resolves once the primary process has noticed its end: all lines of the worker have been read. */
  async kill (pid: number): Promise<void> {
    this.ready.delete(pid)
    this.#killed.add(pid)
    process.kill(pid, 'SIGKILL')
    for await (const [ended] of on(this.#events, 'ended')) if (ended === pid) return
  }

  /** Resolves once so many workers accept connections. */
  async untilReady (count: number): Promise<void> {
    while (this.ready.size < count) await once(this.#events, 'ready')
  }

  #read ({ level, time, msg, pid, worker, req }: Line, text: string): void {
    if (level >= WARNING && !(msg === ENDED && this.#killed.has(worker ?? 0))) this.problems.push(text)
    if (msg === 'incoming request' && req !== undefined) {
      const requests = this.#requests.get(req.remotePort) ?? []
      requests.push({ pid, time })
      this.#requests.set(req.remotePort, requests)
    }
    if (msg === 'ready for uploads') {
      this.ready.add(pid)
      this.#events.emit('ready')
    }
    if (msg === ENDED && worker !== undefined) this.#events.emit('ended', worker)
  }
}
