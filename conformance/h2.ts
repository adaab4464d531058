import http2 from 'node:http2'
import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { isChunked } from './framing.ts'
import { renderBody, renderHead } from './render.ts'
import { Until } from './until.ts'
import type {
  Body, Connection, Exchange, Head, HeaderList, NoAnswer, Transport, TransportOptions, WireRequest, WireResponse
} from './transport.ts'

/** HTTP/2, over TLS for `https:`, otherwise with prior knowledge (h2c). Omits headers that HTTP/2 does not allow. */
export class Http2Transport implements Transport {
  readonly protocol = 'h2'
  #url: URL
  #options: TransportOptions

  constructor (url: URL, options: TransportOptions = {}) {
    this.#url = url
    this.#options = options
  }

  async connect (): Promise<Connection> {
    const session = http2.connect(this.#url.origin, this.#options)
    await once(session, 'connect')
    session.on('error', () => {})
    return {
      send: (request) => new Http2Exchange(session, request),
      destroy: () => { session.destroy() }
    }
  }
}

class Http2Exchange implements Exchange {
  readonly flushed: Promise<void>
  #stream: http2.ClientHttp2Stream
  #until = new Until()
  #sent: string
  #trailers: HeaderList = []
  #interim: Head[] = []
  #head: Head | undefined
  #answer: WireResponse | undefined

  constructor (session: http2.ClientHttp2Session, request: WireRequest) {
    const { body } = request
    const chunks: Buffer[] = []
    this.#sent = renderHead(request, '2') + renderBody(body)
    const waitForTrailers = isChunked(body)
    this.#stream = session.request(toPseudo(request), { endStream: body === undefined || body === '', waitForTrailers })
    this.#stream.on('wantTrailers', () => { this.#stream.sendTrailers(toRecord(this.#trailers)) })
    this.#stream.on('headers', headers => {
      this.#interim.push(toHead(headers))
      this.#until.changed()
    })
    this.#stream.on('response', headers => {
      this.#head = toHead(headers)
      this.#until.changed()
    })
    this.#stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    this.#stream.on('error', () => {})
    this.#stream.on('end', () => { this.#settle(Buffer.concat(chunks)) })
    this.#stream.on('close', () => { this.#settle(undefined) })
    this.flushed = this.#send(body)
  }

  async response (timeout: number): Promise<WireResponse> {
    await this.#until.true(() => this.#answer !== undefined, timeout)
    return this.#answer ?? this.#without('timeout', `no response within ${timeout} ms`)
  }

  async interim (timeout: number): Promise<boolean> {
    await this.#until.true(() => this.#interim.length > 0 || this.#answer !== undefined, timeout)
    return this.#interim.length > 0
  }

  async write (bytes: Buffer | string): Promise<void> {
    const data = Buffer.from(bytes)
    for (let i = 0; i < data.length && this.#head === undefined && this.#stream.writable; i += 65536) {
      let taken = false
      this.#stream.write(data.subarray(i, i + 65536), () => {
        taken = true
        this.#until.changed()
      })
      await this.#until.true(() => taken || this.#head !== undefined || this.#answer !== undefined)
      await setImmediate()
    }
  }

  end (trailers: HeaderList = []): void {
    this.#trailers = trailers
    this.#stream.end()
  }

  abort (how: 'fin' | 'rst' | 'half'): void {
    if (how === 'half') this.end()
    else this.#stream.close(http2.constants.NGHTTP2_CANCEL)
  }

  async #send (body: Body | undefined): Promise<void> {
    if (body === undefined || body === '') return
    if (typeof body === 'string' || Buffer.isBuffer(body)) {
      await this.write(body)
      this.end()
    } else if (body.kind === 'promised') {
      await this.write(body.part)
    } else {
      for (const part of body.chunks) await this.write(part)
      if (body.open !== true) this.end(body.trailers)
    }
  }

  #settle (body: Buffer | undefined): void {
    if (this.#head !== undefined && body !== undefined) {
      this.#answer ??= { ...this.#head, body, interim: this.#interim, sent: this.#sent }
    } else {
      this.#answer ??= this.#without('closed', `stream closed with code ${this.#stream.rstCode}`)
    }
    this.#until.changed()
  }

  #without (status: NoAnswer, reason: string): WireResponse {
    return { status, reason, headers: [], body: Buffer.alloc(0), interim: this.#interim, sent: this.#sent }
  }
}

function toPseudo ({ method, target, headers, body }: WireRequest): http2.OutgoingHttpHeaders {
  const fields = headers.filter(([name]) => !/^(host|connection|transfer-encoding|content-length)$/i.test(name))
  const authority = headers.find(([name]) => name.toLowerCase() === 'host')?.[1]
  const length = headers.find(([name]) => name.toLowerCase() === 'content-length')?.[1] ?? lengthOf(body)
  return {
    ':method': method,
    ':path': target,
    ...(authority === undefined ? {} : { ':authority': authority }),
    ...(length === undefined ? {} : { 'content-length': length }),
    ...toRecord(fields)
  }
}

function lengthOf (body: Body | undefined): string | undefined {
  if (body === undefined) return undefined
  if (typeof body === 'string' || Buffer.isBuffer(body)) return String(Buffer.byteLength(body))
  return body.kind === 'promised' ? String(body.length) : undefined
}

function toRecord (headers: HeaderList): Record<string, string | string[]> {
  const record: Record<string, string | string[]> = {}
  for (const [name, value] of headers) {
    const key = name.toLowerCase()
    record[key] = key in record ? [record[key]!, value].flat() : value
  }
  return record
}

function toHead (headers: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader): Head {
  const fields = Object.entries(headers).filter(([name]) => !name.startsWith(':'))
  return {
    status: headers[':status'] ?? 0,
    reason: '',
    headers: fields.flatMap(([name, value]) => [value ?? []].flat().map((line): [string, string] => [name, line]))
  }
}
