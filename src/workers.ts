import cluster, { type Worker } from 'node:cluster'
import { extname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import closeWithGrace from 'close-with-grace'
import Fastify from 'fastify'
import type { FastifyBaseLogger } from 'fastify'
import type { Config, Environment } from './config.ts'
import { StartError } from './errors.ts'
import { closeLostConnections } from './lost-connections.ts'
import { CRASHES, type RunningServer, start } from './server.ts'
import type { LogOptions } from './terminal-log.ts'
import { DRAIN, type Report } from './worker.ts'

/** The delay before a worker that keeps dying is started again, in ms: it doubles, up to the maximum. */
const BACKOFF_MS = { first: 100, most: 30_000 }

/** A worker that has run for this long did not fail at its start, in ms. */
const STEADY_MS = 10_000

/**
 * Starts the server; if several workers are configured, as the primary process and its workers. Signals close them;
 * `SIGUSR2` replaces the workers.
 * @param env - the settings of the workers
 * @throws StartError if the server or one of the workers cannot start
 */
export async function startServer (config: Config, log: LogOptions, env: Environment): Promise<RunningServer> {
  if (config.workers === 1 || cluster.isWorker) return await start(config, log)
  const logger = Fastify({ logger: { level: config.logLevel, ...log } }).log
  const workers = new Workers(config.workers, env, logger)
  await workers.start()
  return workers
}

/** The primary process: starts workers that share the port, and replaces those that end. */
class Workers implements RunningServer {
  endpoint = ''
  page = ''
  readonly #log: FastifyBaseLogger
  readonly #env: Environment
  /** The workers that accept connections, by their place. Others end once their connections have. */
  readonly #places: Array<Worker | undefined>
  readonly #running = new Set<Worker>()
  /** How long each place stayed empty the last time, in ms. */
  readonly #delays: number[]
  readonly #uninstall: () => void
  readonly #closing = new AbortController()
  #replacing: Promise<void> = Promise.resolve()

  /** @param env - the settings of the workers */
  constructor (count: number, env: Environment, log: FastifyBaseLogger) {
    this.#places = Array.from({ length: count })
    this.#delays = Array.from({ length: count }, () => 0)
    this.#env = env
    this.#log = log
    const { uninstall } = closeWithGrace({ logger: log, skip: [...CRASHES, 'SIGUSR2'] }, async () => await this.close())
    const replace = () => this.replace()
    process.on('SIGUSR2', replace)
    this.#uninstall = () => {
      uninstall()
      process.off('SIGUSR2', replace)
    }
    // The command itself, from src/ or from dist/src/.
    cluster.setupPrimary({ exec: join(import.meta.dirname, `cli${extname(import.meta.filename)}`), args: [] })
  }

  /**
   * Resolves once all workers listen.
   * @throws StartError if one of them cannot
   */
  async start (): Promise<void> {
    try {
      await Promise.all([...this.#places.keys()].map(async (place) => await this.#fill(place)))
    } catch (error) {
      await this.close()
      throw error
    }
  }

  /** Replaces the workers, one after the other. Those that are replaced finish their requests first. */
  replace (): void {
    this.#replacing = this.#replacing.then(async () => await this.#replaceAll()).catch((err: unknown) => {
      this.#log.error({ err }, 'workers not replaced')
    })
  }

  /** Closes all workers. */
  async close (): Promise<void> {
    this.#closing.abort()
    this.#uninstall()
    await Promise.all([...this.#running].map(async (worker) => {
      const ended = endOf(worker)
      worker.process.kill('SIGTERM')
      await ended
    }))
  }

  async #replaceAll (): Promise<void> {
    for (const [place, old] of this.#places.entries()) {
      this.#closing.signal.throwIfAborted()
      await this.#fill(place)
      if (old?.isConnected() === true) old.send(DRAIN)
    }
    this.#log.info('workers replaced')
  }

  /** Puts a new worker in a place; resolves once it listens. */
  async #fill (place: number): Promise<void> {
    const worker = cluster.fork(this.#env)
    const started = performance.now()
    this.#running.add(worker)
    closeLostConnections(worker.process)
    // A message to a worker that has just died fails. Its end is an event of its own.
    worker.on('error', () => {})
    const ended = endOf(worker).then(() => {
      this.#running.delete(worker)
      const { exitCode, signalCode } = worker.process
      return { failure: `A worker ended before it was ready: ${signalCode ?? `exit code ${exitCode}`}` }
    })
    const reported = new Promise<Report>((resolve) => { worker.once('message', resolve) })
    const report = await Promise.race([reported, ended])
    if ('failure' in report) throw new StartError(report.failure)
    this.endpoint = report.endpoint
    this.page = report.page
    this.#places[place] = worker
    // Rejects once the primary process closes.
    ended.then(async () => {
      if (this.#places[place] === worker) await this.#revive(place, worker, started)
    }).catch(() => {})
  }

  /** Starts another worker in the place of a dead one. */
  async #revive (place: number, { process: { pid, exitCode, signalCode } }: Worker, started: number): Promise<void> {
    this.#closing.signal.throwIfAborted()
    this.#log.error({ worker: pid, exitCode, signalCode }, 'worker ended, starting another one')
    const isEarly = performance.now() - started < STEADY_MS
    await this.#retry(place, Number(isEarly) * (this.#delays[place] as number))
    this.#log.info('another worker started')
  }

  async #retry (place: number, delay: number): Promise<void> {
    await wait(delay, undefined, { signal: this.#closing.signal })
    const next = Math.min(BACKOFF_MS.most, Math.max(BACKOFF_MS.first, delay * 2))
    this.#delays[place] = next
    await this.#fill(place).catch(async (err: unknown) => {
      this.#log.error({ err }, 'worker not started')
      await this.#retry(place, next)
    })
  }
}

/** Unlike `once` of `node:events`, it does not reject at an error. */
async function endOf (worker: Worker): Promise<void> {
  await new Promise<void>((resolve) => { worker.once('exit', () => resolve()) })
}
