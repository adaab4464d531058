import { randomBytes } from 'node:crypto'
import { askToRelease, type Queued, type Waiter, waitIn } from '../waiting.ts'
import { LockFiles, nameOf } from './lock-files.ts'
import { type Message, type PeerEvents, Peers } from './peers.ts'

/** How many locks a process keeps after their release. */
const MAX_KEPT = 1000

/** How often `tryLock` asks again if the lock has moved. */
const MAX_TRIES = 3

/** How long `tryLock` waits for the owner, which may be stopped, in ms. */
const TRY_MS = 1000

/** The longest interval of a timer, in ms. */
const LONGEST = 2 ** 31 - 1

/** The state of one lock in this process. */
interface Entry {
  /** `busy`: it is being taken, handed over or released, or its owner has been asked for it. */
  state: 'elsewhere' | 'busy' | 'owned'
  /** A new number each time the lock comes to this process. */
  tenure: number
  holder: Waiter | undefined
  queue: Array<Arrival & Queued>
  /** When the first request of another process arrived there, by the name of the process. */
  peers: Map<string, bigint>
  /** The owner that was asked, until it replies. */
  asked: { owner: string, reply: (type: Message['type']) => void } | undefined
}

interface Arrival extends Waiter {
  /** By the monotonic clock that all processes of a machine share, in ns. */
  at: bigint
}

/** The locks that a process owns or waits for. */
export class LockTable implements PeerEvents {
  readonly #name = randomBytes(8).toString('hex')
  readonly #entries = new Map<string, Entry>()
  /** Owned locks without a holder, the least recently used first. */
  readonly #kept = new Set<string>()
  readonly #peers: Peers
  readonly #files: LockFiles
  readonly #maxWaiters: number
  #tenures = 0
  #onEmpty: (() => void) | undefined

  constructor (directory: string, maxWaiters: number) {
    this.#peers = new Peers(directory, this.#name, this)
    this.#files = new LockFiles(directory, this.#name, (name) => this.#peers.isAlive(name))
    this.#maxWaiters = maxWaiters
  }

  async open (): Promise<void> {
    try {
      await this.#peers.open()
      await this.#files.open()
      await this.#files.clean()
    } catch (error) {
      await this.#peers.close()
      throw error
    }
  }

  /** Resolves once the locks are released that are still held. */
  async close (): Promise<void> {
    const isEmpty = new Promise<void>((resolve) => { this.#onEmpty = resolve })
    for (const [id, entry] of this.#entries) this.#proceed(id, entry)
    if (this.#entries.size > 0) await isEmpty
    await this.#files.close()
    await this.#peers.close()
  }

  /** A number that stays the same while no other process owns the lock; `undefined` if another one may own it. */
  tenure (id: string): number | undefined {
    const entry = this.#entries.get(id)
    return entry?.state === 'owned' ? entry.tenure : undefined
  }

  async enter (id: string, waiter: Waiter, signal: AbortSignal): Promise<void> {
    const entry = this.#entryOf(id)
    const onChange = () => {
      this.#dropIfUnwanted(id, entry)
      this.#proceed(id, entry)
    }
    const arrival = { ...waiter, at: process.hrtime.bigint() }
    await waitIn(entry.queue, arrival, { signal, max: this.#maxWaiters, onChange })
  }

  /** @returns whether the lock was free */
  async tryEnter (id: string, waiter: Waiter): Promise<boolean> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const entry = this.#entryOf(id)
      if (entry.state === 'busy' || isInUse(entry) || entry.peers.size > 0) return false
      let reply: 'owned' | Message['type'] = 'look'
      try {
        reply = entry.state === 'owned' ? 'owned' : await this.#askToTry(id, entry)
      } finally {
        if (reply === 'owned') this.#admit(id, entry, waiter)
        else this.#proceed(id, entry)
      }
      if (reply !== 'look') return reply === 'owned'
    }
    return false
  }

  /** Releases a lock. */
  leave (id: string): void {
    const entry = this.#entries.get(id) as Entry
    entry.holder = undefined
    this.#proceed(id, entry)
  }

  onRequest ({ type, lock: id, at }: Message, from: string): void {
    const entry = this.#entryOf(id)
    if (type === 'drop') {
      if (entry.peers.delete(from)) this.#peers.reply(from, { type: 'look', lock: id })
    } else if (type === 'try' && (entry.state !== 'owned' || isInUse(entry))) {
      this.#peers.reply(from, { type: entry.state === 'elsewhere' ? 'look' : 'busy', lock: id })
    } else {
      entry.peers.set(from, BigInt(at as string))
    }
    this.#proceed(id, entry)
  }

  onReply ({ type, lock: id, others = [] }: Message): void {
    const entry = this.#entries.get(id)
    for (const [name, at] of others) if (name !== this.#name) entry?.peers.set(name, BigInt(at))
    entry?.asked?.reply(type)
  }

  onRequesterEnd (from: string): void {
    for (const [id, entry] of this.#entries) if (entry.peers.delete(from)) this.#proceed(id, entry)
  }

  onOwnerEnd (from: string): void {
    for (const { asked } of this.#entries.values()) if (asked?.owner === from) asked.reply('look')
  }

  #entryOf (id: string): Entry {
    const known = this.#entries.get(id)
    if (known !== undefined) return known
    const entry: Entry = {
      state: 'elsewhere', tenure: 0, holder: undefined, queue: [], peers: new Map(), asked: undefined
    }
    this.#entries.set(id, entry)
    return entry
  }

  /** Takes the next step for a lock, if there is one. */
  #proceed (id: string, entry: Entry): void {
    const { state, holder, queue, peers } = entry
    const isWanted = queue.length > 0 || peers.size > 0
    if (state === 'busy') return
    if (state === 'elsewhere') {
      if (isWanted) this.#run(id, entry, () => this.#acquire(id, entry))
      else this.#forget(id)
    } else if (holder !== undefined) {
      if (isWanted) askToRelease(holder)
    } else if (isWanted) this.#pass(id, entry)
    else this.#keep(id)
  }

  /** Gives a lock to the request that has waited longest, here or in another process. */
  #pass (id: string, entry: Entry): void {
    const [first] = entry.queue
    const [peer, at] = earliest(entry.peers) ?? []
    if (first !== undefined && (at === undefined || first.at < at)) {
      entry.queue.shift()
      first.admit()
      this.#admit(id, entry, first)
      return
    }
    this.#run(id, entry, async () => {
      const isPassed = await this.#files.handOver(nameOf(id), peer as string)
      entry.peers.delete(peer as string)
      if (!isPassed) return 'owned'
      const waiting = [...entry.peers, ...entry.queue.slice(0, 1).map(({ at }) => [this.#name, at] as const)]
      const others = waiting.map(([name, at]): [string, string] => [name, String(at)])
      this.#peers.reply(peer as string, { type: 'look', lock: id, others })
      this.#sendAway(id, entry)
      return 'elsewhere'
    })
  }

  /** Takes a lock for the requests that wait for it here. */
  async #acquire (id: string, entry: Entry): Promise<Entry['state']> {
    while (entry.queue.length > 0 || entry.peers.size > 0) {
      const owner = await this.#take(id, entry)
      if (owner === undefined) return 'owned'
      if (entry.queue[0] !== undefined) await this.#ask(id, entry, { type: 'want', owner, at: entry.queue[0].at })
    }
    return 'elsewhere'
  }

  async #askToTry (id: string, entry: Entry): Promise<'owned' | Message['type']> {
    entry.state = 'busy'
    try {
      const owner = await this.#take(id, entry)
      if (owner !== undefined) return await this.#ask(id, entry, { type: 'try', owner, at: process.hrtime.bigint() })
    } finally {
      entry.state = 'elsewhere'
    }
    entry.state = 'owned'
    return 'owned'
  }

  /** @returns the owner, if that is another process */
  async #take (id: string, entry: Entry): Promise<string | undefined> {
    const owner = await this.#files.take(nameOf(id))
    if (owner === this.#name) entry.tenure = ++this.#tenures
    else this.#sendAway(id, entry)
    return owner === this.#name ? undefined : owner
  }

  /** Asks the owner for a lock. Resolves once it replies, or ends. */
  async #ask (
    id: string, entry: Entry, { type, owner, at }: { type: 'want' | 'try', owner: string, at: bigint }
  ): Promise<Message['type']> {
    // The connections alone do not keep the process alive.
    const timer = setTimeout(() => entry.asked?.reply('busy'), type === 'try' ? TRY_MS : LONGEST)
    try {
      const replied = new Promise<Message['type']>((resolve) => { entry.asked = { owner, reply: resolve } })
      await this.#peers.request(owner, { type, lock: id, at: String(at) })
      if (type === 'want') this.#dropIfUnwanted(id, entry)
      return await replied
    } finally {
      clearTimeout(timer)
      entry.asked = undefined
    }
  }

  /** Takes the request to the owner back, if nothing waits here any more. The owner may be stopped, and never reply. */
  #dropIfUnwanted (id: string, { queue, asked }: Entry): void {
    if (queue.length > 0 || asked === undefined) return
    this.#peers.request(asked.owner, { type: 'drop', lock: id }).catch(() => {})
    asked.reply('look')
  }

  /** Other processes have to ask the new owner. */
  #sendAway (id: string, { peers }: Entry): void {
    for (const peer of peers.keys()) this.#peers.reply(peer, { type: 'look', lock: id })
    peers.clear()
  }

  /** Keeps a lock that has no holder, and releases the least recently used ones if there are too many. */
  #keep (id: string): void {
    this.#kept.delete(id)
    this.#kept.add(id)
    const max = this.#onEmpty === undefined ? MAX_KEPT : 0
    while (this.#kept.size > max) {
      const oldest = this.#kept.values().next().value as string
      this.#run(oldest, this.#entries.get(oldest) as Entry, async () => {
        // If that fails, the file still names this process, which hands it over if another one asks.
        await this.#files.release(nameOf(oldest)).catch(() => {})
        return 'elsewhere'
      })
    }
  }

  #forget (id: string): void {
    this.#entries.delete(id)
    if (this.#entries.size === 0) this.#onEmpty?.()
  }

  /** Runs a step that resolves with the state afterwards. If it fails, so do the requests that wait. */
  #run (id: string, entry: Entry, step: () => Promise<Entry['state']>): void {
    const { state } = entry
    const end = (next: Entry['state']) => {
      entry.state = next
      this.#proceed(id, entry)
    }
    entry.state = 'busy'
    this.#kept.delete(id)
    step().then(end, (error: unknown) => {
      for (const { reject } of entry.queue.splice(0)) reject(error)
      this.#sendAway(id, entry)
      end(state)
    })
  }

  #admit (id: string, entry: Entry, waiter: Waiter): void {
    this.#kept.delete(id)
    entry.holder = waiter
    this.#proceed(id, entry)
  }
}

function isInUse ({ holder, queue }: Entry): boolean {
  return holder !== undefined || queue.length > 0
}

function earliest (peers: Map<string, bigint>): [peer: string, at: bigint] | undefined {
  let first: [string, bigint] | undefined
  for (const [peer, at] of peers) if (first === undefined || at < first[1]) first = [peer, at]
  return first
}
