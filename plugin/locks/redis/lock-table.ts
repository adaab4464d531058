import { randomBytes } from 'node:crypto'
import { askToRelease, type Queued, type Waiter, waitIn } from '../waiting.ts'
import type { RedisClient } from './client.ts'
import { Connection } from './connection.ts'
import { Lease } from './lease.ts'
import type { Script } from './script.ts'
import { enterScript, leaveScript, renewScript, tryScript } from './lock-scripts.ts'

export interface LockTableOptions {
  client: RedisClient
  prefix: string
  ttl: number
  maxWaiters: number
  /** Called for each upload that another process has changed. */
  onChanged: (id: string) => void
}

/** A request for the lock of an upload. */
export interface Request {
  /** Its name in Redis. */
  readonly token: string
  readonly lease: Lease
}

type Holder = Request & Waiter
type Waiting = Request & Queued

/** The time between two looks at a lock, and the time after which a silent request loses its turn; parts of `ttl`. */
const LOOK = 1 / 15
const PATIENCE = 1 / 5

/** The least time between two announcements of changes, in ms. */
const ANNOUNCE_MS = 50

/**
 * The requests of this process that hold locks or wait for them. Redis decides the order of all requests, and sends
 * messages to their processes. Messages may be lost: requests that wait also look at the lock from time to time.
 */
export class LockTable {
  readonly #options: LockTableOptions
  readonly #name = randomBytes(9).toString('base64url')
  readonly #connection: Connection
  readonly #held = new Map<string, Holder>()
  /** The requests that wait, by upload. */
  readonly #queues = new Map<string, Waiting[]>()
  readonly #changed = new Set<string>()
  #tokens = 0
  #looking: NodeJS.Timeout | undefined
  #announcing: NodeJS.Timeout | undefined

  constructor (options: LockTableOptions) {
    const { client, prefix } = options
    this.#options = options
    const channels = [`${prefix}changed`, `${prefix}to:${this.#name}`]
    this.#connection = new Connection(client, channels, (channel, message) => {
      if (channel === channels[0]) this.#onChanged(message)
      else this.#onMessage(message)
    })
  }

  get isIdle (): boolean {
    return this.#held.size === 0 && this.#queues.size === 0
  }

  request (id: string): Request {
    const token = `${this.#name}:${++this.#tokens}`
    const renew = async () => await this.#run(renewScript, id, [token]) === 1
    return { token, lease: new Lease({ ttl: this.#options.ttl, renew }) }
  }

  /** @returns whether the lock was free */
  async tryEnter (id: string, request: Holder): Promise<boolean> {
    const since = performance.now()
    try {
      await this.#connection.subscribe()
      const epoch = await this.#run(tryScript, id, [request.token]) as number | null
      if (epoch !== null) this.#hold(request, since, epoch)
      return epoch !== null
    } catch (error) {
      this.#forget(id, request)
      throw error
    }
  }

  /** Waits for the lock. */
  async enter (id: string, request: Holder, signal: AbortSignal): Promise<void> {
    const queue = this.#queues.get(id) ?? []
    this.#queues.set(id, queue)
    const onChange = () => {
      const waiting = queue.find(({ token }) => token === request.token)
      if (waiting !== undefined) this.#look(id, [waiting])
    }
    try {
      await waitIn(queue, request, { signal, max: this.#options.maxWaiters, onChange })
    } catch (error) {
      this.#forget(id, request)
      throw error
    } finally {
      if (queue.length === 0) this.#queues.delete(id)
    }
  }

  async leave (id: string, { token, lease }: Request): Promise<void> {
    lease.stop()
    this.#held.delete(token)
    await this.#run(leaveScript, id, [token])
  }

  /** Announces a change, together with those that follow soon. */
  announce (id: string): void {
    this.#changed.add(id)
    this.#announcing ??= setTimeout(() => {
      this.#announcing = undefined
      const message = JSON.stringify({ from: this.#name, ids: [...this.#changed] })
      this.#changed.clear()
      this.#connection.publish(`${this.#options.prefix}changed`, message)
    }, ANNOUNCE_MS).unref()
  }

  subscribe (): Promise<void> {
    return this.#connection.subscribe()
  }

  close (): void {
    this.#connection.close()
  }

  /** Asks Redis for the lock, for requests that wait for it. */
  #look (id: string, requests: Waiting[]): void {
    this.#ask(id, requests).then(() => this.#lookLater(), (error: unknown) => {
      for (const { token } of requests) this.#drop(id, token)?.reject(error)
    })
  }

  async #ask (id: string, requests: Waiting[]): Promise<void> {
    const since = performance.now()
    await this.#connection.subscribe()
    const reply = await this.#run(enterScript, id, requests.map(({ token }) => token))
    if (reply === null) return
    const [token, epoch, waiting] = reply as [token: string, epoch: number, waiting: number]
    const request = this.#drop(id, token)
    // If it has given up meanwhile, Redis gets to know.
    if (request === undefined) return
    this.#hold(request, since, epoch)
    request.admit()
    if (waiting > 0) askToRelease(request)
  }

  #hold (request: Holder, since: number, epoch: number): void {
    request.lease.start(since, epoch)
    this.#held.set(request.token, request)
  }

  /** Takes a request out of the queue of this process. */
  #drop (id: string, wanted: string): Waiting | undefined {
    const queue = this.#queues.get(id) ?? []
    const index = queue.findIndex(({ token }) => token === wanted)
    return index < 0 ? undefined : queue.splice(index, 1)[0]
  }

  /** If that fails, the lock of the request expires. */
  #forget (id: string, { token }: Request): void {
    this.#run(leaveScript, id, [token]).catch(() => {})
  }

  #lookLater (): void {
    if (this.#queues.size === 0) return
    this.#looking ??= setTimeout(() => {
      this.#looking = undefined
      for (const [id, queue] of this.#queues) if (queue.length > 0) this.#look(id, [...queue])
    }, this.#options.ttl * LOOK)
  }

  #onMessage (message: string): void {
    const [word = '', token = ''] = message.split(' ')
    if (word === 'release') {
      const request = this.#held.get(token)
      if (request !== undefined) askToRelease(request)
      return
    }
    for (const [id, queue] of this.#queues) {
      const granted = queue.find((request) => request.token === token)
      if (granted !== undefined) this.#look(id, [granted])
    }
  }

  #onChanged (message: string): void {
    const { from, ids } = JSON.parse(message) as { from: string, ids: string[] }
    if (from !== this.#name) for (const id of ids) this.#options.onChanged(id)
  }

  async #run (script: Script, id: string, args: string[]): Promise<unknown> {
    const { prefix, ttl } = this.#options
    // What is in braces decides the slot of a key in a cluster.
    const base = `${prefix}{${id.replace(/[{}]/g, encodeURIComponent)}}`
    const keys = [`${base}:lock`, `${base}:queue`, `${base}:seen`, `${base}:count`]
    return await this.#connection.run(script, keys, [
      `${prefix}to:`, String(ttl), String(Math.floor(ttl * PATIENCE)), ...args
    ])
  }
}
