import type { IncomingMessage } from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'
import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { hasBody } from './request-body.ts'

/** How long a client may keep sending after the response, in ms. */
const LINGER_MS = 500
/** How many of its bytes are read: more than the buffers of both kernels hold, which are full at the time. */
const LINGER_BYTES = 16 * 1024 * 1024

/**
 * Ends the request of a client that is still sending when the response is ready. If the connection closes with bytes in
 * transit, it is reset, and a browser then reports a network error instead of the response. So the client gets some
 * time to notice: over HTTP/1.1, the complete response is sent and only its end is delayed (RFC 9112, 9.6); over
 * HTTP/2, the stream is then closed (RFC 9113, 8.1).
 * @param payload - of the response
 * @returns the payload to send
 */
export function closeLingering (request: FastifyRequest, reply: FastifyReply, payload: unknown): unknown {
  const { raw } = request
  if (!hasBody(request) || raw.complete !== false || raw.destroyed) return payload
  if ('stream' in raw) {
    const stream = raw.stream as ServerHttp2Stream
    stream.once('finish', () => readAndDrop(raw, () => stream.close()))
    return payload
  }
  reply.header('connection', 'close')
  const hasPayload = reply.statusCode !== 204 && reply.statusCode !== 304 && request.method !== 'HEAD'
  const text = payload ?? ''
  if (!hasPayload || typeof text !== 'string') return payload
  const bytes = Buffer.from(text)
  reply.header('content-length', bytes.length)
  const lingering = new Readable({ read () {} })
  lingering.push(bytes)
  readAndDrop(raw, () => lingering.push(null))
  return lingering
}

/** Reads and drops the rest of a body; calls `done` at its end, or once a limit is reached. */
function readAndDrop (raw: IncomingMessage, done: () => void): void {
  let left = LINGER_BYTES
  const end = () => {
    clearTimeout(timer)
    raw.off('data', onData).off('end', end).off('close', end).pause()
    done()
  }
  const onData = (chunk: Buffer) => {
    left -= chunk.length
    if (left <= 0) end()
  }
  const timer = setTimeout(end, LINGER_MS)
  raw.on('error', () => {}).on('data', onData).once('end', end).once('close', end).resume()
}
