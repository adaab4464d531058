/**
 * The load generator: consecutive requests over a raw socket. It uses callbacks and one reused receive buffer, so that
 * it takes little CPU time from the server on the same machine.
 */
import net from 'node:net'

export interface Request {
  /** The request line and the headers, with the final empty line. */
  head: string
  body?: Buffer
  /** A response to HEAD has no body, even with a Content-Length. */
  isHead?: boolean
  /** Called with each piece of the response body and its position. The piece is only valid during the call. */
  onBody?: (piece: Buffer, position: number) => void
}

export interface Answer {
  status: number
  /** The status line and the headers. */
  head: string
}

/** A request, and a check of its response that throws if the response is wrong. */
export interface Exchange {
  request: Request
  check: (answer: Answer) => void
}

/** The run fails if no byte of a response arrives for this long, in ms. */
const SILENCE = 60_000

/** The remaining bytes of the body: a known length, or until the last chunk. */
type Rest = number | 'chunked'

export class Connection {
  readonly #socket: net.Socket
  #request: Request | undefined
  #done: (answer: Answer) => void = () => {}
  #fail: (error: Error) => void = () => {}
  #text = ''
  #answer: Answer | undefined
  #rest: Rest = 0
  #position = 0

  private constructor (port: number, bufferSize: number) {
    const callback = (bytes: number, buffer: Uint8Array): boolean => {
      this.#read(buffer.subarray(0, bytes) as Buffer)
      return true
    }
    this.#socket = net.connect({ port, host: '127.0.0.1', onread: { buffer: Buffer.alloc(bufferSize), callback } })
    this.#socket.setNoDelay().setTimeout(SILENCE, () => this.#socket.destroy(new Error('the server timed out')))
    this.#socket.on('error', (error) => this.#fail(error))
    this.#socket.on('close', () => this.#fail(new Error('the server closed the connection')))
  }

  static async open (port: number, bufferSize = 65_536): Promise<Connection> {
    const connection = new Connection(port, bufferSize)
    await new Promise<void>((resolve, reject) => {
      connection.#fail = reject
      connection.#socket.once('connect', resolve)
    })
    connection.#fail = () => {}
    return connection
  }

  close (): void {
    this.#fail = () => {}
    this.#socket.destroy()
  }

  /** Sends a request. `done` receives the response once its body is complete. */
  send (request: Request, done: (answer: Answer) => void, fail: (error: Error) => void): void {
    this.#request = request
    this.#done = done
    this.#fail = fail
    this.#socket.cork()
    this.#socket.write(request.head, 'latin1')
    if (request.body !== undefined) this.#socket.write(request.body)
    this.#socket.uncork()
  }

  /** Sends more of the body of the current request. */
  more (bytes: Buffer): void {
    this.#socket.write(bytes)
  }

  async ask (request: Request): Promise<Answer> {
    return await new Promise((resolve, reject) => this.send(request, resolve, reject))
  }

  /** Sends consecutive requests until `next` returns none. */
  async series (next: () => Exchange | undefined): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const step = (): void => {
        const exchange = next()
        if (exchange === undefined) return resolve()
        this.send(exchange.request, (answer) => {
          try {
            exchange.check(answer)
            step()
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)))
          }
        }, reject)
      }
      step()
    })
  }

  #read (data: Buffer): void {
    if (this.#answer !== undefined) return this.#readBody(data)
    const before = this.#text.length
    this.#text += data.toString('latin1')
    const end = this.#text.indexOf('\r\n\r\n')
    if (end === -1) return
    const head = this.#text.slice(0, end + 4)
    this.#answer = { status: Number(head.slice(9, 12)), head }
    this.#rest = this.#restOf(this.#answer)
    this.#text = ''
    this.#position = 0
    this.#readBody(data.subarray(head.length - before))
  }

  #restOf ({ status, head }: Answer): Rest {
    if (this.#request?.isHead === true || status === 204) return 0
    const length = headerOf(head, 'content-length')
    return length === undefined && /chunked/i.test(headerOf(head, 'transfer-encoding') ?? '')
      ? 'chunked'
      : Number(length ?? 0)
  }

  #readBody (data: Buffer): void {
    if (this.#rest === 'chunked') {
      // Chunked bodies are not checked, so only their end matters.
      this.#text = (this.#text + data.toString('latin1')).slice(-7)
      if (/(^|\r\n)0\r\n\r\n$/.test(this.#text)) this.#end()
      return
    }
    if (data.length > this.#rest) {
      this.#fail(new Error('the server sent more than one response'))
      return
    }
    if (data.length > 0) this.#request?.onBody?.(data, this.#position)
    this.#position += data.length
    this.#rest -= data.length
    if (this.#rest === 0) this.#end()
  }

  #end (): void {
    const answer = this.#answer as Answer
    this.#answer = undefined
    this.#text = ''
    this.#done(answer)
  }
}

const patterns = new Map<string, RegExp>()

/** The value of a response header. */
export function headerOf (head: string, name: string): string | undefined {
  let pattern = patterns.get(name)
  if (pattern === undefined) patterns.set(name, pattern = new RegExp(`\\r\\n${name}: *(.*?) *\\r\\n`, 'i'))
  return pattern.exec(head)?.[1]
}
