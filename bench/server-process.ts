/** A server in its own process. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Connection } from './connection.ts'
import type { Peer } from './peers.ts'
import { cpuOf, peakOf } from './process.ts'
import type { Questions } from './servers/questions.ts'
import { newDirectory, removeDirectory } from './workspace.ts'
import { freePort } from '../src/demo/engines/free-port.ts'

/** The time limit for a server to start or to become idle, in ms. */
const PATIENCE = 120_000
/** A server that used no CPU time for this long is idle, in ms. */
const REST = 100

/** The cost of some work on a server, in seconds. */
export interface Spent { user: number, system: number, wall: number }

const running = new Set<ChildProcess>()
process.on('exit', () => { for (const child of running) child.kill('SIGKILL') })

export class ServerProcess {
  readonly port: number
  readonly directory: string
  readonly pid: number
  readonly peer: Peer
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>

  private constructor (peer: Peer, child: ChildProcess, port: number, directory: string) {
    this.peer = peer
    this.port = port
    this.directory = directory
    this.pid = child.pid as number
    this.#child = child
    this.#ended = once(child, 'exit')
  }

  /** Starts a server and waits until it accepts connections and is idle. */
  static async start (peer: Peer, directory: string, options?: Record<string, unknown>): Promise<ServerProcess> {
    const port = await freePort()
    const [file, ...args] = peer.command(directory, port, options)
    const child = spawn(file, args, {
      cwd: directory,
      env: { ...process.env, NODE_ENV: 'production', ...peer.env },
      stdio: peer.isNode ? ['ignore', 'inherit', 'inherit', 'ipc'] : 'ignore'
    })
    running.add(child)
    child.once('exit', () => running.delete(child))
    const server = new ServerProcess(peer, child, port, directory)
    await server.#answers()
    await server.rests()
    return server
  }

  async #answers (): Promise<void> {
    for (const until = performance.now() + PATIENCE; performance.now() < until; await sleep(20)) {
      if (this.#child.exitCode !== null) break
      const connection = await Connection.open(this.port).catch(() => undefined)
      if (connection === undefined) continue
      connection.close()
      return
    }
    this.#child.kill('SIGKILL')
    throw new Error(`${this.peer.name} did not start`)
  }

  /** Waits until the server is idle. */
  async rests (): Promise<void> {
    const until = performance.now() + PATIENCE
    for (let before = -1; performance.now() < until;) {
      const { user, system } = cpuOf(this.pid)
      if (user + system === before) return
      before = user + system
      await sleep(REST)
    }
    throw new Error(`${this.peer.name} does not become idle`)
  }

  /** Runs `work` and returns its cost: wall time until it resolves, CPU time until the server is idle again. */
  async measure (work: () => Promise<unknown>): Promise<Spent> {
    const before = cpuOf(this.pid)
    const start = performance.now()
    await work()
    const wall = (performance.now() - start) / 1000
    await this.rests()
    const after = cpuOf(this.pid)
    return { user: after.user - before.user, system: after.system - before.system, wall }
  }

  /** The peak resident memory so far, in bytes. */
  get peak (): number {
    return peakOf(this.pid)
  }

  /** Asks the process a question over the IPC channel. */
  async ask<Name extends keyof Questions> (name: Name): Promise<Questions[Name]> {
    const answered = once(this.#child, 'message')
    this.#child.send(name)
    const ended = this.#ended.then(() => { throw new Error(`${this.peer.name} ended`) })
    return (await Promise.race([answered, ended]))[0] as Questions[Name]
  }

  async end (): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }
}

/** Runs `work` with servers, then ends them and deletes their directories. By default the directories are empty. */
export async function withServers<T> (
  peers: Peer[], work: (servers: ServerProcess[]) => Promise<T>, directoryOf: (peer: Peer) => string = newDirectory,
  options?: Record<string, unknown>
): Promise<T> {
  // If a server does not start, the run fails and all servers end with this process.
  const servers = await Promise.all(peers.map(async (peer) =>
    await ServerProcess.start(peer, directoryOf(peer), options)))
  try {
    return await work(servers)
  } finally {
    for (const server of servers) {
      await server.end()
      removeDirectory(server.directory)
    }
  }
}
