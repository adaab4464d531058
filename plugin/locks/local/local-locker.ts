import path from 'node:path'
import { check } from '../../checks.ts'
import type { Lock, Locker, RequestRelease } from '../../types.ts'
import { LockTable } from './lock-table.ts'

export interface LocalLockerOptions {
  /**
   * A directory for the files and sockets of the locker, on a disk of this machine. It is created if it is missing.
   * Processes that share uploads name the same directory.
   */
  directory: string
  /** How many requests of a process may wait for one upload; the next one is refused at once. Default 100. */
  maxWaiters?: number
}

/**
 * Locks for all processes of one machine, first come, first served. A process that ends, for whatever reason, releases
 * its locks. A released lock stays with its process until another one asks for it, so that consecutive requests in one
 * process cost no system call.
 */
export class LocalLocker implements Locker {
  readonly shared = true
  readonly #directory: string
  readonly #maxWaiters: number
  #opening: Promise<LockTable> | undefined
  #table: LockTable | undefined

  constructor ({ directory, maxWaiters = 100 }: LocalLockerOptions) {
    check(typeof directory === 'string' && directory !== '', '"directory" of a LocalLocker must be a path')
    this.#directory = path.resolve(directory)
    this.#maxWaiters = maxWaiters
  }

  newLock (id: string): Lock {
    return new LocalLock(() => this.#open(), id)
  }

  tenure (id: string): number | undefined {
    return this.#table?.tenure(id)
  }

  async close (): Promise<void> {
    const opening = this.#opening
    this.#opening = this.#table = undefined
    await (await opening?.catch(() => undefined))?.close()
  }

  #open (): Promise<LockTable> {
    this.#opening ??= this.#create().catch((error: unknown) => {
      this.#opening = undefined
      throw error
    })
    return this.#opening
  }

  async #create (): Promise<LockTable> {
    const table = new LockTable(this.#directory, this.#maxWaiters)
    await table.open()
    this.#table = table
    return table
  }
}

class LocalLock implements Lock {
  readonly #open: () => Promise<LockTable>
  readonly #id: string
  /** The table in which the lock is held. The locker may have been closed since, and have another one. */
  #table: LockTable | undefined

  constructor (open: () => Promise<LockTable>, id: string) {
    this.#open = open
    this.#id = id
  }

  async tryLock (requestRelease: RequestRelease): Promise<boolean> {
    const table = await this.#open()
    const isHeld = await table.tryEnter(this.#id, { requestRelease })
    if (isHeld) this.#table = table
    return isHeld
  }

  async lock (signal: AbortSignal, requestRelease: RequestRelease): Promise<void> {
    const table = await this.#open()
    await table.enter(this.#id, { requestRelease }, signal)
    this.#table = table
  }

  async unlock (): Promise<void> {
    if (this.#table === undefined) throw new Error('This lock is not held')
    this.#table.leave(this.#id)
    this.#table = undefined
  }
}
