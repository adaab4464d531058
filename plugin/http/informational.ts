import { type ServerResponse, validateHeaderValue } from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'
import type { FastifyReply, FastifyRequest } from 'fastify'

type Headers = Record<string, string>

/** A response of HTTP/1, with what some versions of Node.js lack. */
type Response = Omit<ServerResponse, 'writeInformation'> & {
  /** Since Node.js 24.18 and 26.2. */
  writeInformation?: (statusCode: number, headers: Headers) => unknown
  /** Not documented; queues behind the responses to earlier requests of the connection, unlike the socket. */
  _writeRaw?: (data: string, encoding: BufferEncoding) => boolean
}

/**
 * Sends an interim response (RFC 9110, 15.2). Does nothing if the client speaks HTTP/1.0 or does not read, if the
 * final response has begun, if the connection is closed, or if Node.js has no way to send it: a client must not rely
 * on interim responses anyway.
 * @param statusCode - from 102 to 199
 * @returns whether it was sent
 * @throws TypeError if a value of a header is invalid
 */
export function sendInterim (
  { raw: request }: FastifyRequest, { raw: response }: FastifyReply, statusCode: number, headers: Headers
): boolean {
  for (const [name, value] of Object.entries(headers)) validateHeaderValue(name, value)
  if (response.headersSent || response.destroyed || response.writableNeedDrain) return false
  if ('stream' in request) return sendOverHttp2(request.stream as ServerHttp2Stream, statusCode, headers)
  if (request.httpVersion === '1.0') return false
  return sendOverHttp1(response, statusCode, headers)
}

function sendOverHttp2 (stream: ServerHttp2Stream, statusCode: number, headers: Headers): boolean {
  if (stream.destroyed || stream.closed) return false
  stream.additionalHeaders({ ':status': statusCode, ...headers })
  return true
}

function sendOverHttp1 (response: Response, statusCode: number, headers: Headers): boolean {
  if (response.writeInformation !== undefined) {
    response.writeInformation(statusCode, headers)
    return true
  }
  if (response._writeRaw === undefined) return false
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  // A status line needs no reason phrase (RFC 9112, 4).
  response._writeRaw(`HTTP/1.1 ${statusCode} \r\n${lines.join('')}\r\n`, 'latin1')
  return true
}
