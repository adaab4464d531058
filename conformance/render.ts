import type { Body, HeaderList, WireRequest, WireResponse } from './transport.ts'

const SHOWN = 120

/** The head of a request as sent, without the final empty line. */
export function renderHead (request: WireRequest, version: string = request.version ?? '1.1'): string {
  return `${request.method} ${request.target} HTTP/${version}\r\n${renderHeaders(request.headers)}`
}

/** Renders a body for the report: the text if it is short, otherwise its start and its length. */
export function renderBody (body: Body | undefined): string {
  if (body === undefined) return ''
  if (typeof body === 'string' || Buffer.isBuffer(body)) return renderBytes(Buffer.from(body))
  if (body.kind === 'promised') return `${renderBytes(Buffer.from(body.part))} [a part of ${body.length} bytes]`

  const trailers = body.trailers === undefined ? '' : ` [trailers ${renderHeaders(body.trailers).trimEnd()}]`
  const end = body.open === true ? ' [not ended]' : ''
  return `${renderBytes(Buffer.concat(body.chunks.map(part => Buffer.from(part))))} [chunked]${trailers}${end}`
}

/** Renders a response for the report. */
export function renderResponse (response: WireResponse): string {
  const { status, reason, headers, body } = response
  const interim = response.interim.map(head => `${head.status} ${head.reason}, then `).join('')
  if (typeof status === 'string') return `${interim}${reason}`
  return `${interim}${status} ${reason}\r\n${renderHeaders(headers)}${renderBytes(body)}`
}

function renderHeaders (headers: HeaderList): string {
  return headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
}

function renderBytes (bytes: Buffer): string {
  if (bytes.length === 0) return ''
  const text = bytes.toString('latin1')
  const start = /^[\t\r\n\x20-\x7e]*$/.test(text) ? text.slice(0, SHOWN) : ''
  return bytes.length <= SHOWN && start !== '' ? `[${text}]` : `[${start && `${start}… `}${bytes.length} bytes]`
}
