import type { Body, HeaderList, WireRequest } from './transport.ts'

/** Whether a body is sent in chunks. */
export function isChunked (body: Body | undefined): boolean {
  return typeof body === 'object' && !Buffer.isBuffer(body) && body.kind === 'chunked'
}

/** The header that frames the body, unless the request sets one itself. */
export function framing ({ headers, body }: WireRequest): HeaderList {
  if (body === undefined || headers.some(([name]) => /^(content-length|transfer-encoding)$/i.test(name))) return []
  if (typeof body === 'string' || Buffer.isBuffer(body)) return [['Content-Length', String(Buffer.byteLength(body))]]
  return body.kind === 'chunked' ? [['Transfer-Encoding', 'chunked']] : [['Content-Length', String(body.length)]]
}

/** One chunk. */
export function chunk (bytes: Buffer | string): Buffer {
  const data = Buffer.from(bytes)
  return Buffer.concat([Buffer.from(`${data.length.toString(16)}\r\n`), data, Buffer.from('\r\n')])
}

/** The end of a chunked body. */
export function lastChunk (trailers: HeaderList): Buffer {
  return Buffer.from(`0\r\n${trailers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`, 'latin1')
}
