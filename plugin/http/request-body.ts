import type { ServerHttp2Stream } from 'node:http2'
import { Socket } from 'node:net'
import { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import type { Body } from '../uploads/body/pump.ts'
import { expectedChecksum } from '../protocols/tus-v1/checksum.ts'
import { wantContinue } from './expect-continue.ts'
import { parseContentLength } from '../protocols/tus-v1/headers.ts'
import type { Wire } from '../protocols/tus-v1/handler.ts'

/**
 * The body of a request, not read yet.
 * @throws FST_TUS_INVALID_HEADER or FST_TUS_UNSUPPORTED for a checksum that cannot be verified
 */
export function incomingBody (wire: Wire, request: FastifyRequest): Body {
  const { raw } = request
  // What the app's own `preParsing` hooks made of it, where Fastify looks for a body at all.
  const stream = request.body as Readable | undefined ?? raw
  return {
    stream,
    length: lengthOf(request),
    accept: () => wantContinue(request),
    close: () => 'stream' in raw ? (raw.stream as ServerHttp2Stream).close() : raw.destroy(),
    isUnshared: () => stream === raw && hasOwnBuffers(request) && !isRead(raw),
    expected: expectedChecksum(wire, request)
  }
}

/** Over HTTP/1 Node.js makes a copy of each. Over HTTP/2 they share memory, and those of `inject` are the caller's. */
function hasOwnBuffers ({ raw }: FastifyRequest): boolean {
  return !('stream' in raw) && raw.socket instanceof Socket
}

/** Whether somebody listens to the body besides the one who stores it, or has put itself before what it tells. */
function isRead (stream: Readable): boolean {
  return stream.listenerCount('data') > 1 || stream.listenerCount('readable') > 0 ||
    stream.on !== Readable.prototype.on || Object.hasOwn(stream, 'emit') || Object.hasOwn(stream, 'push')
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
