import { check, isObject } from '../../checks.ts'
import type { Counter, Lock, Locker, RequestRelease } from '../../types.ts'
import type { RedisClient } from './client.ts'
import { RedisCounter } from './counter.ts'
import { LockTable, type Request } from './lock-table.ts'

export interface RedisLockerOptions {
  /** A client of `ioredis` or `iovalkey`, or an adapter. The locker duplicates it once, and does not close it. */
  client: RedisClient
  /** The beginning of all keys and channels. Default `fastify-tus:`. */
  prefix?: string
  /**
   * How long Redis keeps the locks of a process that has ended or cannot reach it, in ms; at least 1000. Default 15000.
   */
  ttl?: number
  /** How many requests of a process may wait for one upload; the next one is refused at once. Default 100. */
  maxWaiters?: number
}

/** Locks in Redis for processes on any number of machines, first come, first served. */
export class RedisLocker implements Locker {
  readonly shared = true
  readonly counter: Counter
  readonly #table: LockTable
  readonly #listeners = new Set<(id: string) => void>()
  #isClosing = false

  constructor ({ client, prefix = 'fastify-tus:', ttl = 15_000, maxWaiters = 100 }: RedisLockerOptions) {
    const methods = ['evalsha', 'eval', 'publish', 'duplicate'] as const
    check(isObject(client) && methods.every((method) => typeof client[method] === 'function'),
      `"client" of a RedisLocker must have the methods "${methods.join('", "')}"`)
    check(typeof prefix === 'string', '"prefix" of a RedisLocker must be a string')
    check(Number.isSafeInteger(ttl) && ttl >= 1000, '"ttl" of a RedisLocker must be an integer of at least 1000')
    const onChanged = (id: string) => { for (const listener of this.#listeners) listener(id) }
    this.#table = new LockTable({ client, prefix, ttl, maxWaiters, onChanged })
    this.counter = new RedisCounter(client, prefix)
  }

  newLock (id: string): Lock {
    this.#isClosing = false
    return new RedisLock(this.#table, id, () => this.#closeIfIdle())
  }

  changed (id: string): void {
    this.#table.announce(id)
  }

  onChanged (listener: (id: string) => void): () => void {
    this.#isClosing = false
    // The same function may be given twice.
    const own = (id: string) => listener(id)
    this.#listeners.add(own)
    // If that fails, the next lock tries again.
    this.#table.subscribe().catch(() => {})
    return () => {
      this.#listeners.delete(own)
      this.#closeIfIdle()
    }
  }

  /** Closes the connection for messages, once no lock is in use. The client stays open. */
  async close (): Promise<void> {
    this.#isClosing = true
    this.#closeIfIdle()
  }

  #closeIfIdle (): void {
    if (this.#isClosing && this.#listeners.size === 0 && this.#table.isIdle) this.#table.close()
  }
}

class RedisLock implements Lock {
  readonly #table: LockTable
  readonly #id: string
  readonly #request: Request
  readonly #onEnd: () => void
  #isHeld = false

  constructor (table: LockTable, id: string, onEnd: () => void) {
    this.#table = table
    this.#id = id
    this.#request = table.request(id)
    this.#onEnd = onEnd
  }

  get lost (): AbortSignal {
    return this.#request.lease.lost
  }

  async tryLock (requestRelease: RequestRelease): Promise<boolean> {
    this.#isHeld = await this.#table.tryEnter(this.#id, { ...this.#request, requestRelease }).finally(this.#onEnd)
    return this.#isHeld
  }

  async lock (signal: AbortSignal, requestRelease: RequestRelease): Promise<void> {
    await this.#table.enter(this.#id, { ...this.#request, requestRelease }, signal).finally(this.#onEnd)
    this.#isHeld = true
  }

  async unlock (): Promise<void> {
    if (!this.#isHeld) throw new Error('This lock is not held')
    this.#isHeld = false
    await this.#table.leave(this.#id, this.#request).finally(this.#onEnd)
  }
}
