import { setTimeout as sleep } from 'node:timers/promises'
import type { SuiteOptions } from './suite.ts'
import type { Body, Connection, Exchange, HeaderList, Transport, WireResponse } from './transport.ts'

/** Headers of one request. An array sends several lines, `null` removes a default header. */
export type Headers = Record<string, string | string[] | null>

/** The options of a request. */
export interface RequestOptions {
  headers?: Headers | undefined
  body?: Body | undefined
  version?: '1.0' | '1.1' | undefined
  /** In ms. Default: the timeout of the suite. */
  timeout?: number | undefined
  /** The connection to send it on. Default: a new one. */
  on?: Connection | undefined
}

/** How long to wait for flushed bytes to reach the server, in ms. */
const ARRIVAL = 250

/** Sends requests, each on a new connection by default, and keeps the responses for the report. */
export class Client {
  readonly log: WireResponse[] = []
  #transport: Transport
  #defaults: Headers
  #timeout: number
  #connections: Connection[] = []

  constructor (url: URL, transport: Transport, options: SuiteOptions) {
    this.#transport = transport
    const isTus = options.protocol !== 'resumable-upload'
    this.#defaults = { Host: url.host, ...isTus ? { 'Tus-Resumable': '1.0.0' } : {}, ...options.headers }
    this.#timeout = options.timeout ?? 10_000
  }

  get http1 (): boolean {
    return this.#transport.protocol === 'http/1.1'
  }

  async connect (): Promise<Connection> {
    const connection = await this.#transport.connect()
    this.#connections.push(connection)
    return connection
  }

  async open (method: string, target: string, options: RequestOptions): Promise<Exchange> {
    const { body, version, headers, timeout = this.#timeout } = options
    const connection = options.on ?? await this.connect()
    const exchange = connection.send({
      method, target, headers: lines(override(this.#defaults, headers)), body, version
    })
    await Promise.race([exchange.flushed, exchange.response(timeout)])
    return exchange
  }

  async answer (exchange: Exchange, timeout = this.#timeout): Promise<WireResponse> {
    const response = await exchange.response(timeout)
    this.log.push(response)
    return response
  }

  /** Resolves when the sent bytes have reached the server. */
  arrival (): Promise<void> {
    return sleep(ARRIVAL)
  }

  disconnect (): void {
    for (const connection of this.#connections.splice(0)) connection.destroy()
  }
}

/** The headers, plus the defaults that they do not override. */
export function override (defaults: Headers, headers: Headers = {}): Headers {
  const names = new Set(Object.keys(headers).map(name => name.toLowerCase()))
  const kept = Object.entries(defaults).filter(([name]) => !names.has(name.toLowerCase()))
  return { ...Object.fromEntries(kept), ...headers }
}

function lines (headers: Headers): HeaderList {
  return Object.entries(headers).flatMap(([name, value]) => {
    return (value === null ? [] : [value].flat()).map((line): [string, string] => [name, line])
  })
}
