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

/** The options of a creation. */
export interface CreateOptions extends RequestOptions {
  /** The declared length. Default: deferred. */
  length?: number | undefined
  /** The encoded `Upload-Metadata`. */
  metadata?: string | undefined
}

/** The server under test, with the requests and assertions of the requirements. */
export class Server {
  readonly features: Features
  /** The options of the suite, with the known properties that the server does not advertise. */
  readonly known: SuiteOptions
  /** The path of the creation URL. */
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

  /** The path of the upload with this id. */
  path (id: string): string {
    return `${this.endpoint.replace(/\/$/, '')}/${id}`
  }

  /** The absolute URL of a path. */
  absolute (path: string): string {
    return new URL(path, this.#url).href
  }

  /** The path of an upload that does not exist. */
  get unknown (): string {
    return this.path('00000000000000000000000000000000')
  }

  // Arbitrary requests, with `Host` and `Tus-Resumable` by default

  connect (): Promise<Connection> {
    return this.#client.connect()
  }

  /** Sends a request without waiting for the response. */
  open (method: string, target: string, options: RequestOptions = {}): Promise<Exchange> {
    return this.#client.open(method, target, options)
  }

  answer (exchange: Exchange, timeout?: number): Promise<WireResponse> {
    return this.#client.answer(exchange, timeout)
  }

  async send (method: string, target: string, options: RequestOptions = {}): Promise<WireResponse> {
    return this.answer(await this.open(method, target, options), options.timeout)
  }

  // tus requests

  /** Requests a new upload. */
  post (options: CreateOptions): Promise<WireResponse> {
    const { length, metadata, body } = options
    const headers: Headers = length === undefined ? { 'Upload-Defer-Length': '1' } : { 'Upload-Length': String(length) }
    if (metadata !== undefined) headers['Upload-Metadata'] = metadata
    if (body !== undefined) headers['Content-Type'] = 'application/offset+octet-stream'
    return this.send('POST', this.endpoint, { ...options, headers: override(headers, options.headers) })
  }

  /** Creates an upload and resolves with its path. */
  async create (options: CreateOptions): Promise<string> {
    if (!this.offers('creation')) this.skip('the server does not advertise creation')
    const response = await this.post(options)
    this.expect(response, { status: [201], headers: { Location: /./ } })
    return this.located(response)
  }

  /** Creates a finished upload of these bytes. */
  async finished (bytes: Buffer | string = 'abc', options: CreateOptions = {}): Promise<string> {
    const upload = await this.create({ length: Buffer.byteLength(bytes), ...options })
    this.expect(await this.patch(upload, 0, bytes), { status: [204] })
    return upload
  }

  /** The path in `Location`. `close()` deletes the upload if the server supports it. */
  located (response: WireResponse): string {
    const url = new URL(header(response, 'location') ?? '', this.#url)
    this.#uploads.push(url.pathname + url.search)
    return url.pathname + url.search
  }

  async patch (upload: string, offset: number, body?: Body, options: RequestOptions = {}): Promise<WireResponse> {
    return this.answer(await this.begin(upload, offset, body, options), options.timeout)
  }

  /** Starts an append without waiting for the response. */
  begin (upload: string, offset: number, body: Body = '', options: RequestOptions = {}): Promise<Exchange> {
    const headers = { 'Upload-Offset': String(offset), 'Content-Type': 'application/offset+octet-stream' }
    return this.open('PATCH', upload, { ...options, body, headers: override(headers, options.headers) })
  }

  /** Starts an append that stalls after a part of its body. Resolves when the part has reached the server. */
  async stall (upload: string, offset: number, length: number, part: Buffer | string): Promise<Exchange> {
    const exchange = await this.begin(upload, offset, partOf(length, part))
    await this.arrival()
    return exchange
  }

  /** Resolves when the sent bytes have reached the server. */
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

  // Assertions

  expect (response: WireResponse, expectation: Expectation): void {
    this.check(meets(response, expectation, this.strict), describe(expectation, this.strict), response)
  }

  /** Fails unless `ok`. The report shows `expected` and `came`. */
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

  /** The offset that the server reports. */
  async offset (upload: string): Promise<number> {
    const response = await this.head(upload)
    this.expect(response, { status: [200, 204], headers: { 'Upload-Offset': /^\d+$/ } })
    return Number(header(response, 'upload-offset'))
  }

  /** Expects a successful append with this new offset. */
  expectAppended (response: WireResponse, offset: number): void {
    this.expect(response, { status: [204], headers: { 'Upload-Offset': String(offset) } })
  }

  /** Expects an error status or a closed connection. */
  expectNoSuccess (response: WireResponse): void {
    const { status } = response
    const refused = status === 'closed' || (typeof status === 'number' && status >= 400)
    this.check(refused, 'a refusal, or a closed connection', response)
  }

  /** Checks the stored bytes of a finished upload, if the server serves downloads. */
  async expectContent (upload: string, bytes: Buffer | string): Promise<void> {
    const response = await this.get(upload)
    if (!this.strict && response.status !== 200) return
    this.expect(response, { status: [200], body: Buffer.from(bytes) })
  }

  /**
   * Ends a check that does not apply because the server lacks the feature. It counts as neither passed nor failed. On
   * our own server each check must apply in one of the configurations.
   */
  skip (reason: string): never {
    throw new Skip(reason)
  }

  /** Returns the value, or skips if it is undefined. */
  orSkip<T> (value: T | undefined, reason: string): T {
    return value ?? this.skip(reason)
  }

  /** Skips if finished uploads are not served. */
  async needsDownloads (): Promise<void> {
    if (this.strict) return
    const { status } = await this.get(await this.finished())
    if (status !== 200) this.skip('finished uploads are not served')
  }

  /** The deciding exchange, and one line for each exchange before it. */
  get record (): Pick<Result, 'sent' | 'expected' | 'came' | 'before'> {
    const before = this.#client.log.slice(0, Math.max(this.#decided, 0))
    return {
      ...this.#deciding,
      before: before.map(({ sent, status, reason }) => `${sent.split(' HTTP/')[0]} → ${status} ${reason}`.trim())
    }
  }

  /** Closes the connections and deletes the created uploads. */
  async close (): Promise<void> {
    this.#client.disconnect()
    if (!this.offers('termination')) return
    // Errors here are ignored: if the server is unreachable, the check has already failed.
    for (const upload of this.#uploads) await this.delete(upload, { timeout: 2000 }).catch(() => {})
    this.#client.disconnect()
  }
}
