import type { Head, HeaderList } from './transport.ts'

/** The parsed part of a response. */
export interface Parsed {
  interim: Head[]
  /** The final head, once it is complete. */
  head?: Head
  /** The body, once it is complete. */
  body?: Buffer
  /** The bytes after the response. */
  rest: Buffer
}

const CRLF = '\r\n'
const STATUS_LINE = /^HTTP\/1\.[01] (\d{3})(?: (.*))?$/
const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/**
 * Parses one response, including interim responses, from all bytes received so far. Throws if it is malformed.
 *
 * @param ended whether the connection has ended
 */
export function parseResponse (bytes: Buffer, method: string, ended: boolean): Parsed {
  const interim: Head[] = []
  let rest = bytes
  for (;;) {
    const end = rest.indexOf(CRLF + CRLF)
    if (end < 0) {
      if (rest.length >= 5 && rest.toString('latin1', 0, 5) !== 'HTTP/') throw new Error('not an HTTP response')
      return { interim, rest }
    }
    const head = parseHead(rest.toString('latin1', 0, end))
    rest = rest.subarray(end + 4)
    if (head.status >= 200) return { interim, head, ...parseBody(rest, head, method, ended) }
    interim.push(head)
  }
}

function parseHead (text: string): Head {
  const [first = '', ...lines] = text.split(CRLF)
  const match = STATUS_LINE.exec(first)
  if (match === null) throw new Error(`not a status line: ${first}`)
  return { status: Number(match[1]), reason: match[2] ?? '', headers: parseHeaders(lines) }
}

function parseHeaders (lines: string[]): HeaderList {
  return lines.map(line => {
    const colon = Math.max(line.indexOf(':'), 0)
    const name = line.slice(0, colon)
    if (!HEADER_NAME.test(name) || /[\r\n]/.test(line)) throw new Error(`not a header line: ${line}`)
    return [name, withoutWhitespace(line.slice(colon + 1))]
  })
}

/** Removes optional white space at both ends. A regular expression for the end takes quadratic time. */
function withoutWhitespace (value: string): string {
  let end = value.length
  while (end > 0 && (value[end - 1] === ' ' || value[end - 1] === '\t')) end--
  return value.slice(0, end).replace(/^[ \t]+/, '')
}

function parseBody (bytes: Buffer, head: Head, method: string, ended: boolean): { body?: Buffer, rest: Buffer } {
  if (method === 'HEAD' || head.status === 204 || head.status === 304) return { body: Buffer.alloc(0), rest: bytes }

  if (values(head, 'transfer-encoding').some(value => /\bchunked$/i.test(value))) return parseChunks(bytes)

  const lengths = new Set(values(head, 'content-length'))
  if (lengths.size > 1) throw new Error('several Content-Length')
  const [length] = lengths
  if (length === undefined) return ended ? { body: bytes, rest: Buffer.alloc(0) } : { rest: bytes }
  if (!/^\d+$/.test(length)) throw new Error(`Content-Length: ${length}`)
  if (bytes.length < Number(length)) return { rest: bytes }
  return { body: bytes.subarray(0, Number(length)), rest: bytes.subarray(Number(length)) }
}

function parseChunks (bytes: Buffer): { body?: Buffer, rest: Buffer } {
  const chunks: Buffer[] = []
  let rest = bytes
  for (;;) {
    const line = rest.indexOf(CRLF)
    if (line < 0) return { rest: bytes }
    const size = /^([0-9a-f]+)(?:;.*)?$/i.exec(rest.toString('latin1', 0, line))
    if (size === null) throw new Error('not a chunk size')
    const length = Number.parseInt(size[1]!, 16)
    rest = rest.subarray(line + 2)
    if (length === 0) {
      const end = rest.indexOf(CRLF)
      if (end === 0) return { body: Buffer.concat(chunks), rest: rest.subarray(2) }
      const trailers = rest.indexOf(CRLF + CRLF)
      if (trailers < 0) return { rest: bytes }
      return { body: Buffer.concat(chunks), rest: rest.subarray(trailers + 4) }
    }
    if (rest.length < length + 2) return { rest: bytes }
    chunks.push(rest.subarray(0, length))
    rest = rest.subarray(length + 2)
  }
}

function values (head: Head, name: string): string[] {
  return head.headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value)
}
