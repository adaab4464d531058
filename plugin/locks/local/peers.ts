import { once } from 'node:events'
import { chmod, mkdir, open, rename, unlink, type FileHandle } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import path from 'node:path'
import { isName } from './lock-files.ts'

/** A message about a lock, to its owner or from it. */
export interface Message {
  /**
   * `want` and `try` ask the owner for the lock; `drop` takes `want` back. `look` and `busy` are the replies: the files
   * show the owner now, or the lock is not free.
   */
  type: 'want' | 'try' | 'drop' | 'look' | 'busy'
  lock: string
  /** When the request for the lock arrived, by the monotonic clock that all processes of a machine share, in ns. */
  at?: string
  /** For the new owner: the processes that wait, and since when. */
  others?: Array<[name: string, at: string]>
}

export interface PeerEvents {
  /** @param from - the name of the process that sent it */
  onRequest (message: Message, from: string): void
  onReply (message: Message): void
  /** A process that has sent requests has ended. */
  onRequesterEnd (from: string): void
  /** A process that requests were sent to has ended, and will not reply. */
  onOwnerEnd (from: string): void
}

const TYPES: Array<Message['type']> = ['want', 'try', 'drop', 'look', 'busy']

/** The maximum length of a message, in characters: `others` has about 40 for each process. */
const MAX_LINE = 1_000_000

/** The longest path of a socket, in bytes: 108 with its end on Linux, 104 on macOS. */
const MAX_PATH = 103

/** Connections between the processes that share a directory: each listens on a socket in it. */
export class Peers {
  readonly #directory: string
  readonly #self: string
  readonly #events: PeerEvents
  readonly #platform: string
  readonly #server: Server
  /** Connections that other processes have opened, and those to other processes; by their names. */
  readonly #incoming = new Map<string, Socket>()
  readonly #outgoing = new Map<string, Promise<Socket | undefined>>()
  #handle: FileHandle | undefined

  constructor (directory: string, self: string, events: PeerEvents, platform: string = process.platform) {
    this.#directory = directory
    this.#self = self
    this.#events = events
    this.#platform = platform
    this.#server = createServer((socket) => this.#accept(socket)).unref()
  }

  /** Listens. The socket gets its name only then: a process that finds it must be able to connect. */
  async open (): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 })
    const isLong = Buffer.byteLength(path.join(this.#directory, `s-${this.#self}`)) > MAX_PATH
    if (isLong && this.#platform === 'linux') this.#handle = await open(this.#directory)
    // `exclusive`: the workers of a cluster must not share the socket.
    this.#server.listen({ path: this.#address('b'), exclusive: true })
    await once(this.#server, 'listening')
    if (this.#platform === 'win32') return
    await chmod(path.join(this.#directory, `b-${this.#self}`), 0o600)
    await rename(path.join(this.#directory, `b-${this.#self}`), path.join(this.#directory, `s-${this.#self}`))
  }

  /** Whether the process of that name is running. */
  async isAlive (name: string): Promise<boolean> {
    return name === this.#self || await this.#connect(name) !== undefined
  }

  /** If the process has ended, or ends before it replies, `onOwnerEnd` is called. */
  async request (to: string, message: Message): Promise<void> {
    const socket = await this.#connect(to)
    if (socket === undefined) this.#events.onOwnerEnd(to)
    else send(socket, message)
  }

  reply (to: string, message: Message): void {
    const socket = this.#incoming.get(to)
    if (socket !== undefined) send(socket, message)
  }

  async close (): Promise<void> {
    for (const socket of this.#incoming.values()) socket.destroy()
    for (const connecting of this.#outgoing.values()) (await connecting.catch(() => undefined))?.destroy()
    this.#server.close()
    await unlink(path.join(this.#directory, `s-${this.#self}`)).catch(() => {})
    await this.#handle?.close()
  }

  #accept (socket: Socket): void {
    let from: string | undefined
    socket.unref().on('error', () => {})
    receive(socket, (raw) => from === undefined ? checkedName(raw['from']) : checked(raw), (message) => {
      if (typeof message !== 'string') return this.#events.onRequest(message, from as string)
      from = message
      this.#incoming.set(from, socket)
    })
    socket.on('close', () => {
      if (from === undefined) return
      this.#incoming.delete(from)
      this.#events.onRequesterEnd(from)
    })
  }

  #connect (name: string): Promise<Socket | undefined> {
    const existing = this.#outgoing.get(name)
    if (existing !== undefined) return existing
    const connecting = this.#open(name)
    this.#outgoing.set(name, connecting)
    const forget = () => {
      if (this.#outgoing.get(name) === connecting) this.#outgoing.delete(name)
    }
    connecting.then((socket) => {
      if (socket === undefined) forget()
      socket?.on('close', () => {
        forget()
        this.#events.onOwnerEnd(name)
      })
    }, forget)
    return connecting
  }

  /** @returns `undefined` if nothing listens there any more */
  async #open (name: string): Promise<Socket | undefined> {
    const socket = connect(this.#address('s', name))
    try {
      await once(socket, 'connect')
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      // ECONNRESET: it ended before it accepted the connection.
      if (code === 'ECONNREFUSED' || code === 'ECONNRESET' || code === 'ENOENT') return undefined
      throw error
    }
    socket.unref().on('error', () => {})
    receive(socket, checked, (message) => this.#events.onReply(message))
    send(socket, { from: this.#self })
    return socket
  }

  #address (kind: 's' | 'b', name = this.#self): string {
    if (this.#platform === 'win32') return `\\\\.\\pipe\\fastify-tus-${name}`
    const directory = this.#handle === undefined ? this.#directory : `/proc/self/fd/${this.#handle.fd}`
    return path.join(directory, `${kind}-${name}`)
  }
}

function send (socket: Socket, message: Message | { from: string }): void {
  socket.write(`${JSON.stringify(message)}\n`)
}

/** Calls back for each line of JSON that `check` accepts. A connection with anything else is closed. */
function receive<T> (
  socket: Socket, check: (raw: Record<string, unknown>) => T, onMessage: (message: T) => void
): void {
  let rest = ''
  socket.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() as string
    for (const line of lines) {
      const message = parse(line, check)
      if (message === undefined) return socket.destroy()
      onMessage(message)
    }
    if (rest.length > MAX_LINE) socket.destroy()
  })
}

function parse<T> (line: string, check: (raw: Record<string, unknown>) => T): T | undefined {
  try {
    return check(Object(JSON.parse(line)) as Record<string, unknown>)
  } catch {
    return undefined
  }
}

function checked ({ type, lock, at = '0', others = [] }: Record<string, unknown>): Message {
  if (!TYPES.includes(type as Message['type']) || typeof lock !== 'string' || !Array.isArray(others)) {
    throw new TypeError('Invalid message')
  }
  return {
    type: type as Message['type'],
    lock,
    at: checkedTime(at),
    others: others.map((other) => [checkedName(Object(other)[0]), checkedTime(Object(other)[1])])
  }
}

function checkedName (name: unknown): string {
  if (!isName(name)) throw new TypeError('Invalid name')
  return name
}

function checkedTime (at: unknown): string {
  if (typeof at !== 'string' || !/^\d{1,30}$/.test(at)) throw new TypeError('Invalid time')
  return at
}
