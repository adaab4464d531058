import { createHash } from 'node:crypto'
import { checksumAlgorithms } from '../../plugin/uploads/body/checksum.ts'
import type { HeaderLine, HostileRequest } from './grammar.ts'

/** What the names in a request stand for. */
export type Names = Record<string, string>

/** Puts ids and digests in the place of their names; what is none of them stays. */
export function fillIn (text: string, names: Names): string {
  return text.replace(/\{(\w+(?:-\w+)?)\}/g, (all, name: string) => names[name] ?? all)
}

/** A request as the bytes that go over the wire. */
export function render (request: HostileRequest, ids: Names): Buffer {
  const { method, version, framing } = request
  const body = fillIn(framing.kind === 'raw' ? framing.body : request.body, ids)
  const names = { ...ids, ...digests(body) }
  const lines = (list: HeaderLine[]) =>
    list.map(([name, value]) => `${name}: ${fillIn(value, names)}\r\n`).join('')
  const head = `${method} ${fillIn(request.target, ids)} HTTP/${version}\r\nHost: localhost\r\nX-Case: ${ids['case']}\r\n` +
    lines(request.headers)
  if (framing.kind === 'raw') return Buffer.from(`${head}${lines(framing.lines)}\r\n${body}`, 'latin1')
  if (framing.kind === 'length') return Buffer.from(`${head}Content-Length: ${body.length}\r\n\r\n${body}`, 'latin1')
  const chunks = cut(body, framing.sizes).map((part) => `${part.length.toString(16)}${framing.extension}\r\n${part}\r\n`)
  return Buffer.from(
    `${head}Transfer-Encoding: chunked\r\n\r\n${chunks.join('')}0\r\n${lines(framing.trailers)}\r\n`, 'latin1')
}

/** The right digest of a body, by the name of the algorithm. */
function digests (body: string): Names {
  return Object.fromEntries(checksumAlgorithms.map((name) =>
    [name, createHash(name).update(Buffer.from(body, 'latin1')).digest('base64')]))
}

function cut (text: string, sizes: number[]): string[] {
  const parts = []
  let rest = text
  for (const size of sizes) {
    if (rest === '') break
    parts.push(rest.slice(0, size))
    rest = rest.slice(size)
  }
  return rest === '' ? parts : [...parts, rest]
}

/** Whether all of a request is there, so that exactly one answer is due. */
export function isWhole ({ framing, version }: HostileRequest): boolean {
  if (framing.kind === 'raw') return false
  if (framing.kind === 'length') return true
  // HTTP/1.0 knows no chunks, and trailers must not frame the body: the parser is against both, at its own time.
  return version === '1.1' && !framing.trailers.some(([name]) => /^(content-length|transfer-encoding)$/i.test(name))
}

/**
 * Whether the connection ends behind a request, so that nothing may follow it. Where keep-alive and close are both
 * asked for, the parser of Node.js takes what differs from the default of the version.
 */
export function isLast ({ version, headers }: HostileRequest): boolean {
  const asks = (how: string) => headers.some(([name, value]) => name === 'Connection' && value.includes(how))
  return version === '1.0' ? !asks('keep-alive') : asks('close')
}
