import type { WireResponse } from './transport.ts'

/** The expected value of a header: exact, a pattern, or absent (`null`). */
export type HeaderExpectation = Record<string, string | RegExp | null>

/** The expected response. */
export interface Expectation {
  /**
   * The accepted statuses, the recommended one first. Strict mode accepts only the first. `'4xx'` stands for a class of
   * statuses, `'closed'` for a connection that is closed without a response.
   */
  status: Array<number | '2xx' | '4xx' | '5xx' | 'closed'>
  headers?: HeaderExpectation | undefined
  /** Headers that are checked only in strict mode: recommended, but left to the server. */
  strictly?: HeaderExpectation | undefined
  body?: Buffer | RegExp | undefined
}

/** The values of a header, one for each header line. */
export function headerLines (response: Pick<WireResponse, 'headers'>, name: string): string[] {
  return response.headers.filter(([key]) => key.toLowerCase() === name.toLowerCase()).map(([, value]) => value)
}

/** The value of a header, its lines joined by commas (RFC 9110, section 5.3). `undefined` if it is absent. */
export function header (response: Pick<WireResponse, 'headers'>, name: string): string | undefined {
  const lines = headerLines(response, name)
  return lines.length === 0 ? undefined : lines.join(', ')
}

/** The members of a list header. */
export function list (response: Pick<WireResponse, 'headers'>, name: string): string[] {
  return (header(response, name) ?? '').split(',').map(member => member.trim()).filter(member => member !== '')
}

/** Whether a response meets an expectation. */
export function meets (response: WireResponse, expectation: Expectation, strict: boolean): boolean {
  const { status, headers = {}, strictly = {}, body } = expectation
  const accepted = strict ? status.slice(0, 1) : status
  return accepted.some(one => one === response.status || one === classOf(response)) &&
    (typeof response.status === 'string' || (
      meetsHeaders(response, headers) &&
      (!strict || meetsHeaders(response, strictly)) &&
      (body === undefined || (Buffer.isBuffer(body) ? body.equals(response.body) : body.test(response.body.toString())))
    ))
}

/** Renders an expectation as text. */
export function describe (expectation: Expectation, strict: boolean): string {
  const { status, headers = {}, strictly = {}, body } = expectation
  const accepted = (strict ? status.slice(0, 1) : status).join(' or ')
  const wanted = Object.entries(strict ? { ...headers, ...strictly } : headers).map(([name, value]) => {
    if (value === null) return `no ${name}`
    return value instanceof RegExp ? `${name} matching ${value}` : `${name}: ${value}`
  })
  if (body !== undefined) {
    wanted.push(Buffer.isBuffer(body) ? `a body with the ${body.length} expected bytes` : `a body matching ${body}`)
  }
  return [accepted, ...wanted].join(', ')
}

function meetsHeaders (response: WireResponse, headers: HeaderExpectation): boolean {
  return Object.entries(headers).every(([name, expected]) => {
    const value = header(response, name)
    if (expected === null || value === undefined) return expected === null && value === undefined
    return expected instanceof RegExp ? expected.test(value) : expected === value
  })
}

function classOf ({ status }: WireResponse): string {
  return typeof status === 'number' ? `${Math.floor(status / 100)}xx` : status
}
