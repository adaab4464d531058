import { override } from '../client.ts'
import { header } from '../expectation.ts'
import { partOf } from '../transport.ts'
import type { Headers, RequestOptions } from '../client.ts'
import type { Server } from '../server.ts'
import type { Body, Exchange, Head, WireResponse } from '../transport.ts'

/** An interop version of the draft; `null` for a client that sends none. */
export type Version = 3 | 4 | 5 | 6 | 7 | 8 | 9 | null

export const versions: Version[] = [3, 4, 5, 6, 7, 8, 9, null]

export const PARTIAL_UPLOAD = 'application/partial-upload'

/** How long to wait for an interim response, in ms. */
const INTERIM = 3000

/** `Upload-Draft-Interop-Version`, and the field that says whether the request completes the upload. */
export function fields (version: Version, completes?: boolean): Headers {
  const headers: Headers = version === null ? {} : { 'Upload-Draft-Interop-Version': String(version) }
  if (completes === undefined) return headers
  if (version === 3) return { ...headers, 'Upload-Incomplete': completes ? '?0' : '?1' }
  return { ...headers, 'Upload-Complete': completes ? '?1' : '?0' }
}

/** One client, which speaks one interop version. */
export class Speaker {
  readonly t: Server
  readonly version: Version

  constructor (t: Server, version: Version = 9) {
    this.t = t
    this.version = version
  }

  /** The names and values by which this version says that an upload is complete, or not. */
  state (isComplete: boolean): Record<string, string> {
    return this.version === 3
      ? { 'Upload-Incomplete': isComplete ? '?0' : '?1' }
      : { 'Upload-Complete': isComplete ? '?1' : '?0' }
  }

  /** Starts a creation without waiting for the response. */
  begin (completes: boolean | undefined, body: Body = '', headers: Headers = {}): Promise<Exchange> {
    const all = override(fields(this.version, completes), headers)
    return this.t.open('POST', this.t.endpoint, { body, headers: all })
  }

  async post (completes: boolean | undefined, body: Body = '', headers: Headers = {}): Promise<WireResponse> {
    return await this.t.answer(await this.begin(completes, body, headers))
  }

  /** Creates an upload that is not complete, and resolves with its path. */
  async create (bytes: Body = '', headers: Headers = {}): Promise<string> {
    const response = await this.post(false, bytes, headers)
    this.t.expect(response, { status: [201], headers: { Location: /./ } })
    return this.t.located(response)
  }

  /** Starts an append without waiting for the response. */
  beginAppend (
    upload: string, offset: number, completes: boolean | undefined, body: Body = '', headers: Headers = {}
  ): Promise<Exchange> {
    const all = {
      ...fields(this.version, completes), 'Upload-Offset': String(offset), 'Content-Type': PARTIAL_UPLOAD
    }
    return this.t.open('PATCH', upload, { body, headers: override(all, headers) })
  }

  async append (
    upload: string, offset: number, completes: boolean | undefined, body: Body = '', headers: Headers = {}
  ): Promise<WireResponse> {
    return await this.t.answer(await this.beginAppend(upload, offset, completes, body, headers))
  }

  /** Starts an append that stalls after a part of its body. Resolves when the part has reached the server. */
  async stall (upload: string, offset: number, length: number, part: string): Promise<Exchange> {
    const exchange = await this.beginAppend(upload, offset, true, partOf(length, part))
    await this.t.arrival()
    return exchange
  }

  head (upload: string, options: RequestOptions = {}): Promise<WireResponse> {
    return this.t.head(upload, { ...options, headers: override(fields(this.version), options.headers) })
  }

  delete (upload: string): Promise<WireResponse> {
    return this.t.delete(upload, { headers: fields(this.version) })
  }

  async expectState (upload: string, offset: number, isComplete: boolean): Promise<WireResponse> {
    const response = await this.head(upload)
    this.t.expect(response, {
      status: [204, 200], headers: { 'Upload-Offset': String(offset), ...this.state(isComplete) }
    })
    return response
  }

  async expectGone (upload: string): Promise<void> {
    this.t.expect(await this.head(upload), { status: [404, 410] })
  }
}

/** Expects a refusal by the upload protocol, not by the resource. */
export function refused (t: Server, response: WireResponse, ...status: number[]): void {
  t.expect(response, { status, headers: { 'Upload-Complete': '?0' } })
}

/** The 104 responses of an exchange that has ended. */
export function announcements ({ interim }: WireResponse): Head[] {
  return interim.filter(({ status }) => status === 104)
}

/** Waits for an interim response, then sends the rest of the body. */
export async function continued (t: Server, exchange: Exchange, rest: string): Promise<WireResponse> {
  await exchange.interim(INTERIM)
  await exchange.write(rest)
  exchange.end()
  return await t.answer(exchange)
}

/** The members of a problem (RFC 9457). */
export function problemIn (response: WireResponse): Record<string, unknown> {
  if (!/^application\/problem\+json\b/.test(header(response, 'content-type') ?? '')) return {}
  try {
    return JSON.parse(response.body.toString()) as Record<string, unknown>
  } catch {
    return {}
  }
}

export function expectProblem (t: Server, response: WireResponse, name: string): void {
  const type = `https://iana.org/assignments/http-problem-types#${name}`
  t.check(problemIn(response)['type'] === type, `a problem of the type ${type}`, response)
}
