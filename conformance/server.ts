import { Client, override } from './client.ts'
import { describe, header, meets } from './expectation.ts'
import { Failure, Skip } from './outcome.ts'
import { renderResponse } from './render.ts'
import { partOf } from './transport.ts'
import type { Headers, RequestOptions } from './client.ts'
import type { Expectation, HeaderExpectation } from './expectation.ts'
import type { Features } from './features.ts'
import type { Result, SuiteOptions } from './suite.ts'
import type { Body, Connection, Exchange, Transport, WireResponse } from './transport.ts'

/** What may be said about a new upload. */
export interface CreateOptions extends RequestOptions {
  /** The declared length; without one it is deferred. */
  length?: number | undefined
  /** `Upload-Metadata`, as it goes over the wire. */
  metadata?: string | undefined
}

/** The server, as a requirement talks to it. */
export class Server {
  readonly features: Features
  /** How to judge, and what is known of the server beyond what it tells. */
  readonly known: SuiteOptions
  /** Where uploads are created, as it was given to the suite. */
  readonly endpoint: string
  #url: URL
  #client: Client
  #uploads: string[] = []
  #deciding = { sent: '', expected: '', came: '' }
  #decided = 0

  constructor (url: URL, transport: Transport, features: Features, options: SuiteOptions) {
    this.#url = url
    this.#client = new Client(url, transport, options)
    this.features = features
    this.known = options
    this.endpoint = url.pathname
  }

  get http1 (): boolean {
    return this.#client.http1
  }

  get strict (): boolean {
    return this.known.strict === true
  }

  offers (extension: string): boolean {
    return this.features.extensions.includes(extension)
  }

  /** The URL of an upload of that id. */
  path (id: string): string {
    return `${this.endpoint.replace(/\/$/, '')}/${id}`
  }

  /** The same, in full. */
  absolute (path: string): string {
    return new URL(path, this.#url).href
  }

  /** The URL of an upload that does not exist. */
  get unknown (): string {
    return this.path('00000000000000000000000000000000')
  }

  // Any requests, with `Host` and `Tus-Resumable` unless they say otherwise

  connect (): Promise<Connection> {
    return this.#client.connect()
  }

  /** Sends a request, and does not wait for the answer. */
  open (method: string, target: string, options: RequestOptions = {}): Promise<Exchange> {
    return this.#client.open(method, target, options)
  }

  answer (exchange: Exchange, timeout?: number): Promise<WireResponse> {
    return this.#client.answer(exchange, timeout)
  }

  async send (method: string, target: string, options: RequestOptions = {}): Promise<WireResponse> {
    return this.answer(await this.open(method, target, options), options.timeout)
  }

  // The requests of tus

  /** Asks for a new upload. */
  post (options: CreateOptions): Promise<WireResponse> {
    const { length, metadata, body } = options
    const headers: Headers = length === undefined ? { 'Upload-Defer-Length': '1' } : { 'Upload-Length': String(length) }
    if (metadata !== undefined) headers['Upload-Metadata'] = metadata
    if (body !== undefined) headers['Content-Type'] = 'application/offset+octet-stream'
    return this.send('POST', this.endpoint, { ...options, headers: override(headers, options.headers) })
  }

  /** Creates an upload, and resolves with its path. */
  async create (options: CreateOptions): Promise<string> {
    if (!this.offers('creation')) this.skip('the server does not advertise creation')
    const response = await this.post(options)
    this.expect(response, { status: [201], headers: { Location: /./ } })
    return this.located(response)
  }

  /** Creates an upload of these bytes, finished. */
  async finished (bytes: Buffer | string = 'abc', options: CreateOptions = {}): Promise<string> {
    const upload = await this.create({ length: Buffer.byteLength(bytes), ...options })
    this.expect(await this.patch(upload, 0, bytes), { status: [204] })
    return upload
  }

  /** The path in `Location`; the upload is deleted in the end, where the server is able to. */
  located (response: WireResponse): string {
    const url = new URL(header(response, 'location') ?? '', this.#url)
    this.#uploads.push(url.pathname + url.search)
    return url.pathname + url.search
  }

  async patch (upload: string, offset: number, body?: Body, options: RequestOptions = {}): Promise<WireResponse> {
    return this.answer(await this.begin(upload, offset, body, options), options.timeout)
  }

  /** Starts an append, without waiting for the answer. */
  begin (upload: string, offset: number, body: Body = '', options: RequestOptions = {}): Promise<Exchange> {
    const headers = { 'Upload-Offset': String(offset), 'Content-Type': 'application/offset+octet-stream' }
    return this.open('PATCH', upload, { ...options, body, headers: override(headers, options.headers) })
  }

  /** Starts an append that stalls after a part of its body, which has come to the server when this resolves. */
  async stall (upload: string, offset: number, length: number, part: Buffer | string): Promise<Exchange> {
    const exchange = await this.begin(upload, offset, partOf(length, part))
    await this.arrival()
    return exchange
  }

  /** Resolves when the server has what was sent. */
  arrival (): Promise<void> {
    return this.#client.arrival()
  }

  head (upload: string, options?: RequestOptions): Promise<WireResponse> {
    return this.send('HEAD', upload, options)
  }

  get (upload: string, options?: RequestOptions): Promise<WireResponse> {
    return this.send('GET', upload, options)
  }

  delete (upload: string, options?: RequestOptions): Promise<WireResponse> {
    return this.send('DELETE', upload, options)
  }

  // The judgement

  expect (response: WireResponse, expectation: Expectation): void {
    this.check(meets(response, expectation, this.strict), describe(expectation, this.strict), response)
  }

  /** Fails unless `ok`; `expected` and what came go into the report. */
  check (ok: boolean, expected: string, came: WireResponse | string): void {
    const { log } = this.#client
    const response = typeof came === 'string' ? log.at(-1) : came
    this.#decided = response === undefined ? 0 : log.lastIndexOf(response)
    this.#deciding = {
      sent: response?.sent ?? '',
      expected,
      came: typeof came === 'string' ? came : renderResponse(came)
    }
    if (!ok) throw new Failure('')
  }

  async expectHead (upload: string, headers: HeaderExpectation): Promise<void> {
    this.expect(await this.head(upload), { status: [200, 204], headers })
  }

  async expectOffset (upload: string, offset: number): Promise<void> {
    await this.expectHead(upload, { 'Upload-Offset': String(offset) })
  }

  /** The offset that the server tells. */
  async offset (upload: string): Promise<number> {
    const response = await this.head(upload)
    this.expect(response, { status: [200, 204], headers: { 'Upload-Offset': /^\d+$/ } })
    return Number(header(response, 'upload-offset'))
  }

  /** An append is answered with the offset that it led to. */
  expectAppended (response: WireResponse, offset: number): void {
    this.expect(response, { status: [204], headers: { 'Upload-Offset': String(offset) } })
  }

  /** An answer that is not wanted must not say that all is well; the end of the connection says that, too. */
  expectNoSuccess (response: WireResponse): void {
    const { status } = response
    this.check(status === 'closed' || (typeof status === 'number' && status >= 400), 'a refusal, or the end', response)
  }

  /** Checks what is stored of a finished upload, on servers that let it be read. */
  async expectContent (upload: string, bytes: Buffer | string): Promise<void> {
    const response = await this.get(upload)
    if (!this.strict && response.status !== 200) return
    this.expect(response, { status: [200], body: Buffer.from(bytes) })
  }

  /**
   * Gives a check up that cannot be asked of this server, because it does not offer what the check is about. It counts
   * neither as passed nor as failed. Of our own server each check must be asked in one of its configurations.
   */
  skip (reason: string): never {
    throw new Skip(reason)
  }

  /** The value, if there is one. */
  orSkip<T> (value: T | undefined, reason: string): T {
    return value ?? this.skip(reason)
  }

  /** Skips where finished uploads cannot be read. */
  async needsDownloads (): Promise<void> {
    if (this.strict) return
    const { status } = await this.get(await this.finished())
    if (status !== 200) this.skip('finished uploads are not served')
  }

  /** The deciding exchange, and a line for each one before it. */
  get record (): Pick<Result, 'sent' | 'expected' | 'came' | 'before'> {
    const before = this.#client.log.slice(0, Math.max(this.#decided, 0))
    return {
      ...this.#deciding,
      before: before.map(({ sent, status, reason }) => `${sent.split(' HTTP/')[0]} → ${status} ${reason}`.trim())
    }
  }

  /** Ends what is still open, and deletes what was created. */
  async close (): Promise<void> {
    this.#client.disconnect()
    if (!this.offers('termination')) return
    // Tidying up decides nothing: a server that cannot be reached any more has failed before.
    for (const upload of this.#uploads) await this.delete(upload, { timeout: 2000 }).catch(() => {})
    this.#client.disconnect()
  }
}
