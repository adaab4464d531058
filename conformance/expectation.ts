import type { WireResponse } from './transport.ts'

/** A header's value: exactly this, one of this form, or not there (`null`). */
export type HeaderExpectation = Record<string, string | RegExp | null>

/** What an answer must be. */
export interface Expectation {
  /**
   * The acceptable answers, the recommended one first: strictly, only that one will do. `'4xx'` stands for a class of
   * statuses, `'closed'` for a connection that is closed without an answer.
   */
  status: Array<number | '2xx' | '4xx' | '5xx' | 'closed'>
  headers?: HeaderExpectation | undefined
  /** Headers that are asked for only strictly: good to have, but left to the server. */
  strictly?: HeaderExpectation | undefined
  body?: Buffer | RegExp | undefined
}

/** All values of a header, each in the line that it came in. */
export function headerLines (response: Pick<WireResponse, 'headers'>, name: string): string[] {
  return response.headers.filter(([key]) => key.toLowerCase() === name.toLowerCase()).map(([, value]) => value)
}

/** The value of a header, its lines joined as HTTP says; `undefined` where it is not there. */
export function header (response: Pick<WireResponse, 'headers'>, name: string): string | undefined {
  const lines = headerLines(response, name)
  return lines.length === 0 ? undefined : lines.join(', ')
}

/** The members of a header that is a list. */
export function list (response: Pick<WireResponse, 'headers'>, name: string): string[] {
  return (header(response, name) ?? '').split(',').map(member => member.trim()).filter(member => member !== '')
}

/** Whether an answer is what is expected. */
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

/** An expectation in words. */
export function describe (expectation: Expectation, strict: boolean): string {
  const { status, headers = {}, strictly = {}, body } = expectation
  const accepted = (strict ? status.slice(0, 1) : status).join(' or ')
  const wanted = Object.entries(strict ? { ...headers, ...strictly } : headers).map(([name, value]) => {
    if (value === null) return `no ${name}`
    return value instanceof RegExp ? `${name} like ${value}` : `${name}: ${value}`
  })
  if (body !== undefined) wanted.push(Buffer.isBuffer(body) ? `a body of the ${body.length} right bytes` : `a body like ${body}`)
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
