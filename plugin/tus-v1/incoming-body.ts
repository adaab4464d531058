import type { ServerHttp2Stream } from 'node:http2'
import type { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import type { Body } from '../uploads/body.ts'
import { expectedChecksum } from './checksum.ts'
import { wantContinue } from './expect-continue.ts'
import { parseContentLength } from './headers.ts'
import type { Wire } from './wire.ts'

/**
 * The body of a request, not read yet.
 * @throws FST_TUS_INVALID_HEADER or FST_TUS_UNSUPPORTED for a checksum that cannot be verified
 */
export function incomingBody (wire: Wire, request: FastifyRequest): Body {
  const { raw } = request
  return {
    // What the app's own `preParsing` hooks made of it, where Fastify looks for a body at all.
    stream: request.body as Readable | undefined ?? raw,
    length: lengthOf(request),
    accept: () => wantContinue(request),
    close: () => 'stream' in raw ? (raw.stream as ServerHttp2Stream).close() : raw.destroy(),
    expected: expectedChecksum(wire, request)
  }
}

/** HTTP/2 has no chunked coding: without a length, the end of the stream is the end of the body. */
function lengthOf ({ raw, headers }: FastifyRequest): number | undefined {
  if (headers['content-length'] === undefined && 'stream' in raw) {
    return (raw.stream as ServerHttp2Stream).endAfterHeaders ? 0 : undefined
  }
  return parseContentLength(headers)
}

/** Whether bytes may come with the request. */
export function hasBody (request: FastifyRequest): boolean {
  return lengthOf(request) !== 0
}
