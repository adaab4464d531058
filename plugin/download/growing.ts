import type { FastifyReply, FastifyRequest } from 'fastify'
import { errors } from '../errors.ts'
import type { Upload } from '../types.ts'
import type { Context } from '../uploads/context.ts'
import { sendDescription } from './description.ts'
import { GrowingBody } from './growing-body.ts'
import { parseRange } from './range.ts'

/** How far beyond the last stored byte a reader may start, and wait, in bytes: a browser reads a little ahead. */
const AHEAD_BYTES = 1024 * 1024

/**
 * Sends an upload that still grows. If its length is declared, the response looks like that of a complete upload: it
 * stays open, and bytes are sent as they are stored. It must not be cached, so it has no `ETag`.
 */
export function sendGrowing (
  context: Context, request: FastifyRequest, reply: FastifyReply, upload: Upload
): FastifyReply {
  const { size } = upload
  const { range: header, 'if-range': ifRange } = request.headers
  reply.header('accept-ranges', size === undefined ? 'none' : 'bytes')
  // Without an `ETag`, no `If-Range` matches.
  const isValid = header !== undefined && ifRange === undefined && size !== undefined
  const range = isValid ? parseRange(header, size) : undefined
  if (range === undefined) return send(context, reply, upload, 0, size)
  if (range === 'unsatisfiable') throw unsatisfiable(reply, upload)
  const { start, end } = range
  if (start > upload.offset + AHEAD_BYTES) throw unsatisfiable(reply, upload)
  reply.code(206).header('content-range', `bytes ${start}-${end}/${size}`)
  return send(context, reply, upload, start, end + 1)
}

/**
 * Sends an upload from an offset to its end, including bytes that are not stored yet: for readers that have everything
 * before the offset, such as live viewers.
 */
export function sendTail (context: Context, reply: FastifyReply, upload: Upload, from: string): FastifyReply {
  const start = Number(from)
  if (!/^\d+$/.test(from) || !Number.isSafeInteger(start)) throw new errors.InvalidQuery('from', 'must be an offset in bytes')
  if (start > (upload.size ?? Infinity)) throw unsatisfiable(reply, upload)
  if (start > upload.offset + AHEAD_BYTES) throw unsatisfiable(reply, upload)
  reply.header('accept-ranges', 'none')
  return send(context, reply, upload, start, upload.size)
}

function send (
  context: Context, reply: FastifyReply, upload: Upload, start: number, end: number | undefined
): FastifyReply {
  sendDescription(context, reply, upload)
  if (end !== undefined) reply.header('content-length', end - start)
  // A proxy that buffers or compresses the response would delay bytes: hence `no-transform` (RFC 9111, 5.2.2.6), and a
  // header of nginx.
  reply.headers({ 'cache-control': 'no-store, no-transform', 'x-accel-buffering': 'no' })
  const body = new GrowingBody(context, upload, { start, end: end ?? Infinity })
  // Otherwise Node.js sends the headers with the first byte, which may take long to arrive.
  reply.raw.once('pipe', () => reply.raw.flushHeaders())
  return reply.send(body)
}

function unsatisfiable (reply: FastifyReply, { size }: Upload): Error {
  if (size !== undefined) reply.header('content-range', `bytes */${size}`)
  return new errors.Range()
}
