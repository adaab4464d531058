import type { IncomingHttpHeaders } from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'
import { Socket } from 'node:net'
import { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import { errors } from '../errors.ts'
import { withoutParameters } from '../media-types.ts'
import type { Body } from '../uploads/body/body.ts'
import type { ExpectedChecksum } from '../uploads/body/checksum.ts'
import { sendContinue } from './expect-continue.ts'
import { freeBuffers } from './free-buffers.ts'
import { splitList } from './list-header.ts'
import { raiseUploadWindow } from './upload-window.ts'

/**
 * The body of a request, not read yet.
 * @param expected - the checksum of the body, if the client sends one
 */
export function requestBody (request: FastifyRequest, expected?: ExpectedChecksum): Body {
  const { raw } = request
  // The payload that `preParsing` hooks of the app returned, if Fastify looked for a body at all.
  const stream = request.body as Readable | undefined ?? raw
  return {
    stream,
    length: bodyLengthOf(request),
    expected,
    accept () {
      sendContinue(request)
      raiseUploadWindow(request)
    },
    close: () => 'stream' in raw ? (raw.stream as ServerHttp2Stream).close() : raw.destroy(),
    isExclusive: () => stream === raw && hasOwnBuffers(request) && !hasOtherReaders(raw),
    release: freeBuffers
  }
}

/**
 * Over HTTP/1 each buffer has its own memory. Over HTTP/2 they share memory, and with `inject` the caller owns them.
 */
function hasOwnBuffers ({ raw }: FastifyRequest): boolean {
  return !('stream' in raw) && raw.socket instanceof Socket
}

/** Whether something else listens to the body, or has patched the stream. */
function hasOtherReaders (stream: Readable): boolean {
  return stream.listenerCount('data') > 1 || stream.listenerCount('readable') > 0 ||
    stream.on !== Readable.prototype.on || Object.hasOwn(stream, 'emit') || Object.hasOwn(stream, 'push')
}

/**
 * The length of the body, in bytes; `undefined` if it is unknown. HTTP/2 has no chunked coding: without a length, the
 * end of the stream is the end of the body. Node.js has checked the digits.
 */
function bodyLengthOf ({ raw, headers }: FastifyRequest): number | undefined {
  if (headers['content-length'] === undefined && 'stream' in raw) {
    return (raw.stream as ServerHttp2Stream).endAfterHeaders ? 0 : undefined
  }
  if (headers['transfer-encoding'] !== undefined) return undefined
  return Number(headers['content-length'] ?? 0)
}

/** Whether the request may have a body. */
export function hasBody (request: FastifyRequest): boolean {
  return bodyLengthOf(request) !== 0
}

/** The media type without its parameters, in lower case; empty without the header. */
export function mediaTypeOf (headers: IncomingHttpHeaders): string {
  return withoutParameters(headers['content-type'] ?? '')
}

/**
 * Offsets count the bytes of the file: with a content coding, they would not.
 * @throws FST_TUS_MEDIA_TYPE
 */
export function refuseContentCoding ({ headers }: FastifyRequest): void {
  const isEncoded = splitList(headers['content-encoding']).some((coding) => coding.toLowerCase() !== 'identity')
  if (isEncoded) throw new errors.MediaType('Content-Encoding is not supported')
}
