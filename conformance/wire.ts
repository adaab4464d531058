import net from 'node:net'
import tls from 'node:tls'
import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { chunk, framing, isChunked, lastChunk } from './framing.ts'
import { parseResponse } from './response-parser.ts'
import { renderBody, renderHead } from './render.ts'
import { Until } from './until.ts'
import type { Parsed } from './response-parser.ts'
import type {
  Body, Connection, Exchange, HeaderList, NoAnswer, Transport, TransportOptions, WireRequest, WireResponse
} from './transport.ts'

/** HTTP/1.1 over a raw socket: requests are sent as given, even malformed ones. */
export class Http1Transport implements Transport {
  readonly protocol = 'http/1.1'
  #url: URL
  #options: TransportOptions

  constructor (url: URL, options: TransportOptions = {}) {
    this.#url = url
    this.#options = options
  }

  async connect (): Promise<Connection> {
    const host = this.#url.hostname.replace(/^\[|\]$/g, '')
    const secure = this.#url.protocol === 'https:'
    const port = Number(this.#url.port || (secure ? 443 : 80))
    const servername = net.isIP(host) ? '' : host
    const socket = secure
      ? tls.connect({ ...this.#options, host, port, servername, ALPNProtocols: ['http/1.1'] })
      : net.connect({ host, port })
    await once(socket, secure ? 'secureConnect' : 'connect')
    return new Http1Connection(socket)
  }
}

class Http1Connection implements Connection {
  #socket: net.Socket
  #received: Buffer = Buffer.alloc(0)
  #waiting: Http1Exchange[] = []
  #ended = ''

  constructor (socket: net.Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', data => {
      this.#received = Buffer.concat([this.#received, data])
      this.#read()
    })
    socket.on('error', (error: NodeJS.ErrnoException) => { this.#ended = `connection ended: ${error.code}` })
    socket.on('end', () => { this.#end() })
    socket.on('close', () => { this.#end() })
  }

  send (request: WireRequest): Exchange {
    const exchange = new Http1Exchange(this.#socket, request)
    this.#waiting.push(exchange)
    if (this.#ended !== '') this.#end()
    return exchange
  }

  destroy (): void {
    this.#socket.destroy()
  }

  #end (): void {
    this.#ended ||= 'connection closed'
    this.#read()
    for (const exchange of this.#waiting.splice(0)) exchange.settleWithout('closed', this.#ended)
  }

  #read (): void {
    while (this.#waiting.length > 0) {
      const exchange = this.#waiting[0]!
      let parsed: Parsed
      try {
        parsed = parseResponse(this.#received, exchange.method, this.#ended !== '')
      } catch (error) {
        exchange.settleWithout('malformed', (error as Error).message)
        this.#waiting.shift()
        return
      }
      exchange.progress(parsed)
      if (parsed.body === undefined) return
      this.#received = parsed.rest
      this.#waiting.shift()
    }
  }
}

class Http1Exchange implements Exchange {
  readonly method: string
  readonly flushed: Promise<void>
  #socket: net.Socket
  #chunked: boolean
  #sent: string
  #answer: WireResponse | undefined
  #parsed: Parsed = { interim: [], rest: Buffer.alloc(0) }
  #until = new Until()

  constructor (socket: net.Socket, request: WireRequest) {
    this.method = request.method
    this.#socket = socket
    this.#chunked = isChunked(request.body)
    const head = renderHead({ ...request, headers: [...request.headers, ...framing(request)] })
    this.#sent = head + renderBody(request.body)
    this.flushed = this.#send(Buffer.from(`${head}\r\n`, 'latin1'), request.body)
  }

  async response (timeout: number): Promise<WireResponse> {
    await this.#until.true(() => this.#answer !== undefined, timeout)
    return this.#answer ?? this.#without('timeout', `no response within ${timeout} ms`)
  }

  async interim (timeout: number): Promise<boolean> {
    await this.#until.true(() => this.#parsed.interim.length > 0 || this.#answer !== undefined, timeout)
    return this.#parsed.interim.length > 0
  }

  async write (bytes: Buffer | string): Promise<void> {
    await this.#write(this.#chunked ? chunk(bytes) : Buffer.from(bytes))
  }

  end (trailers: HeaderList = []): void {
    if (this.#chunked) this.#socket.write(lastChunk(trailers))
  }

  abort (how: 'fin' | 'rst' | 'half'): void {
    if (how === 'half') this.#socket.end()
    else if (how === 'rst' && !(this.#socket instanceof tls.TLSSocket)) this.#socket.resetAndDestroy()
    else this.#socket.destroy()
  }

  progress (parsed: Parsed): void {
    this.#parsed = parsed
    if (parsed.head !== undefined && parsed.body !== undefined) {
      this.#answer = { ...parsed.head, body: parsed.body, interim: parsed.interim, sent: this.#sent }
    }
    this.#until.changed()
  }

  settleWithout (status: NoAnswer, reason: string): void {
    this.#answer ??= this.#without(status, reason)
    this.#until.changed()
  }

  #without (status: NoAnswer, reason: string): WireResponse {
    const partly = this.#parsed.head === undefined ? '' : `, after ${this.#parsed.head.status} and a part of the body`
    return {
      status,
      reason: reason + partly,
      headers: [],
      body: Buffer.alloc(0),
      interim: this.#parsed.interim,
      sent: this.#sent
    }
  }

  async #send (head: Buffer, body: Body | undefined): Promise<void> {
    if (body === undefined || typeof body === 'string' || Buffer.isBuffer(body)) {
      return this.#write(Buffer.concat([head, Buffer.from(body ?? '')]))
    }
    if (body.kind === 'promised') return this.#write(Buffer.concat([head, Buffer.from(body.part)]))

    await this.#write(head)
    for (const part of body.chunks) await this.#write(chunk(part))
    if (body.open !== true) await this.#write(lastChunk(body.trailers ?? []))
  }

  // Like a careful client, checks for a response while sending, and stops once one arrives.
  async #write (bytes: Buffer): Promise<void> {
    for (let i = 0; i < bytes.length && this.#parsed.head === undefined && this.#socket.writable; i += 65536) {
      let taken = false
      this.#socket.write(bytes.subarray(i, i + 65536), () => {
        taken = true
        this.#until.changed()
      })
      await this.#until.true(() => taken || this.#parsed.head !== undefined)
      if (i + 65536 < bytes.length) await setImmediate()
    }
  }
}
