import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { hasBody } from './incoming-body.ts'

/** How long a client that still sends may take to notice the answer, in ms, and how many of its bytes are read away. */
const LINGER_MS = 1000
const LINGER_BYTES = 1024 * 1024

/** Whether a part of the body was not read, as with a request that is refused. */
export function isUnread (request: FastifyRequest): boolean {
  return hasBody(request) && !request.raw.readableEnded && !request.raw.destroyed
}

/**
 * Answers a client that is still sending, and then closes the connection. A connection that is closed with bytes unread
 * is reset, and a browser then reports a network error and not the answer. So the answer goes out whole, and only its
 * end waits until the client stops, for a while (RFC 9112, 9.6).
 */
export function lingeringPayload (request: FastifyRequest, reply: FastifyReply, payload: string | Buffer): Readable {
  const { raw } = request
  const answer = new Readable({ read () {} })
  let left = LINGER_BYTES
  const end = () => {
    clearTimeout(timer)
    raw.off('data', onData).off('end', end).off('close', end).pause()
    answer.push(null)
  }
  const onData = (chunk: Buffer) => {
    left -= chunk.length
    if (left <= 0) end()
  }
  const timer = setTimeout(end, LINGER_MS)
  raw.on('error', () => {}).on('data', onData).once('end', end).once('close', end).resume()
  reply.header('connection', 'close').header('content-length', Buffer.byteLength(payload))
  answer.push(payload)
  return answer
}
