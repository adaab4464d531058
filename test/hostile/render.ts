import { createHash } from 'node:crypto'
import { checksumAlgorithms } from '../../plugin/uploads/body/checksum.ts'
import type { HeaderLine, HostileRequest } from './grammar.ts'

/** The values of the names in a request. */
export type Names = Record<string, string>

/** Replaces names of ids and digests by their values; other text stays. */
export function fillIn (text: string, names: Names): string {
  return text.replace(/\{(\w+(?:-\w+)?)\}/g, (all, name: string) => names[name] ?? all)
}

/** A request as the bytes that are sent. */
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

/** Whether a request is complete, so that exactly one response is due. */
export function isComplete ({ framing, version }: HostileRequest): boolean {
  if (framing.kind === 'raw') return false
  if (framing.kind === 'length') return true
  // HTTP/1.0 has no chunks, and trailers must not frame the body: the parser rejects both, at a time of its choice.
  return version === '1.1' && !framing.trailers.some(([name]) => /^(content-length|transfer-encoding)$/i.test(name))
}

/**
 * Whether the connection ends after a request, so that nothing may follow it. If both keep-alive and close are
 * requested, the parser of Node.js follows the one that differs from the default of the version.
 */
export function isLast ({ version, headers }: HostileRequest): boolean {
  const asks = (how: string) => headers.some(([name, value]) => name === 'Connection' && value.includes(how))
  return version === '1.0' ? !asks('keep-alive') : asks('close')
}
