/** Header lines as sent: case, order and repetitions are preserved. */
export type HeaderList = Array<[name: string, value: string]>

/** The body of a request and the way to send it. Plain bytes are sent with their Content-Length. */
export type Body = Buffer | string | ChunkedBody | PromisedBody

/** A body without a Content-Length. If `open`, its end is not sent. */
export interface ChunkedBody {
  kind: 'chunked'
  chunks: Array<Buffer | string>
  trailers?: HeaderList | undefined
  open?: boolean | undefined
}

/** A body with a Content-Length, of which only a part is sent. */
export interface PromisedBody {
  kind: 'promised'
  length: number
  part: Buffer | string
}

/** A complete chunked body. */
export function chunked (chunks: Array<Buffer | string>, trailers?: HeaderList): ChunkedBody {
  return { kind: 'chunked', chunks, trailers }
}

/** A chunked body without its end: continue with `write()` and `end()` of the exchange, or call `abort()`. */
export function unended (chunks: Array<Buffer | string>): ChunkedBody {
  return { kind: 'chunked', chunks, open: true }
}

/** A part of a body of `length` bytes: continue with `write()` of the exchange, or call `abort()`. */
export function partOf (length: number, part: Buffer | string = ''): PromisedBody {
  return { kind: 'promised', length, part }
}

/** One request. Nothing is added except the framing of the body. */
export interface WireRequest {
  method: string
  target: string
  headers: HeaderList
  body?: Body | undefined
  version?: '1.0' | '1.1' | undefined
}

/** The outcome of an exchange without a complete response. */
export type NoAnswer = 'closed' | 'timeout' | 'malformed'

/** The head of a final or an interim (1xx) response. */
export interface Head {
  status: number
  reason: string
  headers: HeaderList
}

/** One response, or the reason for its absence. */
export interface WireResponse {
  status: number | NoAnswer
  /** The reason phrase, or details on a missing response. */
  reason: string
  headers: HeaderList
  body: Buffer
  interim: Head[]
  /** The sent request, for the report. */
  sent: string
}

/** A request in progress. */
export interface Exchange {
  /** Resolves when the request was flushed to the socket, or never will be. */
  readonly flushed: Promise<void>
  /** Resolves with the final response, or after `timeout` ms with status `'timeout'`. Never rejects. */
  response (timeout: number): Promise<WireResponse>
  /** Resolves with true on an interim response, with false on the final one, a closed connection or the timeout. */
  interim (timeout: number): Promise<boolean>
  /** Continues an unfinished body. Resolves when the bytes were flushed to the socket. */
  write (bytes: Buffer | string): Promise<void>
  /** Ends an open chunked body. */
  end (trailers?: HeaderList): void
  /** Aborts the connection: with FIN, with RST, or only its sending side. */
  abort (how: 'fin' | 'rst' | 'half'): void
}

/** One connection, for consecutive requests. */
export interface Connection {
  send (request: WireRequest): Exchange
  destroy (): void
}

/** The ALPN name. */
export type Protocol = 'http/1.1' | 'h2'

/** The options of a transport. */
export interface TransportOptions {
  /** The certificate to trust, in PEM, instead of the default ones of Node.js. */
  ca?: string | undefined
}

/** Opens connections to a server. */
export interface Transport {
  readonly protocol: Protocol
  connect (): Promise<Connection>
}
