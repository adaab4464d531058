/** Header lines as they go over the wire: casing, order and repetitions are kept. */
export type HeaderList = Array<[name: string, value: string]>

/** The body of a request, and how it is sent. Bytes alone are sent whole, with their Content-Length. */
export type Body = Buffer | string | ChunkedBody | PromisedBody

/** A body whose length is not told. `open`: its end is not sent. */
export interface ChunkedBody {
  kind: 'chunked'
  chunks: Array<Buffer | string>
  trailers?: HeaderList | undefined
  open?: boolean | undefined
}

/** A body whose length is told, but of which only a part is sent. */
export interface PromisedBody {
  kind: 'promised'
  length: number
  part: Buffer | string
}

/** A body sent in chunks, to its end. */
export function chunked (chunks: Array<Buffer | string>, trailers?: HeaderList): ChunkedBody {
  return { kind: 'chunked', chunks, trailers }
}

/** A body sent in chunks, without its end: `write()` and `end()` of the exchange go on with it, or `abort()`. */
export function unended (chunks: Array<Buffer | string>): ChunkedBody {
  return { kind: 'chunked', chunks, open: true }
}

/** A part of a body of `length` bytes: `write()` of the exchange goes on with it, or `abort()`. */
export function partOf (length: number, part: Buffer | string = ''): PromisedBody {
  return { kind: 'promised', length, part }
}

/** One request, with nothing added that is not said here but what frames its body. */
export interface WireRequest {
  method: string
  target: string
  headers: HeaderList
  body?: Body | undefined
  version?: '1.0' | '1.1' | undefined
}

/** What ended an exchange that brought no whole answer. */
export type NoAnswer = 'closed' | 'timeout' | 'malformed'

/** A head of an answer: the final one, or an interim one (1xx). */
export interface Head {
  status: number
  reason: string
  headers: HeaderList
}

/** One answer, or what came in its place. */
export interface WireResponse {
  status: number | NoAnswer
  /** The reason phrase, or what is known about a missing answer. */
  reason: string
  headers: HeaderList
  body: Buffer
  interim: Head[]
  /** The request as it was sent, for the report. */
  sent: string
}

/** A request that is on its way. */
export interface Exchange {
  /** Resolves when all that the request holds was handed to the system, or never will be. */
  readonly flushed: Promise<void>
  /** Resolves with the final answer; after `timeout` ms with status `'timeout'`. Never rejects. */
  response (timeout: number): Promise<WireResponse>
  /** Resolves with true as soon as an interim answer came, with false when a final one, the end or the timeout did. */
  interim (timeout: number): Promise<boolean>
  /** Goes on with a body that was left unfinished; resolves when the bytes were handed to the system. */
  write (bytes: Buffer | string): Promise<void>
  /** Ends a chunked body that was left open. */
  end (trailers?: HeaderList): void
  /** Ends the connection in the middle: in good order, by a reset, or only this side of it. */
  abort (how: 'fin' | 'rst' | 'half'): void
}

/** One connection, for requests one after the other. */
export interface Connection {
  send (request: WireRequest): Exchange
  destroy (): void
}

/** As it is called in TLS. */
export type Protocol = 'http/1.1' | 'h2'

/** What may be said about a way to reach a server. */
export interface TransportOptions {
  /** The certificate to trust, in PEM, in place of those that Node trusts. */
  ca?: string | undefined
}

/** A way to reach a server. */
export interface Transport {
  readonly protocol: Protocol
  connect (): Promise<Connection>
}
