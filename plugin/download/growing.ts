import type { FastifyReply, FastifyRequest } from 'fastify'
import { errors } from '../errors.ts'
import type { Upload } from '../types.ts'
import type { Scope } from '../uploads/context.ts'
import { sendDescription } from './description.ts'
import { GrowingBody } from './growing-body.ts'
import { parseRange } from './range.ts'

/** How far behind the last stored byte a reader may begin and wait, in bytes: a browser reads a little ahead. */
const AHEAD_BYTES = 1024 * 1024

/**
 * Answers with an upload that still grows, as if it were whole where its length is declared: the answer is held open,
 * and its bytes are written as they are stored. Nothing of it may be cached, and so there is no tag to ask by.
 */
export function sendGrowing (
  scope: Scope, request: FastifyRequest, reply: FastifyReply, upload: Upload
): FastifyReply {
  const { size } = upload
  const { range: header, 'if-range': ifRange } = request.headers
  reply.header('accept-ranges', size === undefined ? 'none' : 'bytes')
  // Without a tag there is no `If-Range` that holds.
  const isAsked = header !== undefined && ifRange === undefined && size !== undefined
  const range = isAsked ? parseRange(header, size) : undefined
  if (range === undefined) return send(scope, reply, upload, 0, size)
  if (range === 'unsatisfiable') throw notThere(reply, upload)
  const { start, end } = range
  if (start > upload.offset + AHEAD_BYTES) throw notThere(reply, upload, 'yet')
  reply.code(206).header('content-range', `bytes ${start}-${end}/${size}`)
  return send(scope, reply, upload, start, end + 1)
}

/**
 * Answers with an upload from an offset to its end, be that there or not: for who has read up to there and wants what
 * follows, as a live viewer does.
 */
export function sendTail (scope: Scope, reply: FastifyReply, upload: Upload, from: string): FastifyReply {
  const start = Number(from)
  if (!/^\d+$/.test(from) || !Number.isSafeInteger(start)) throw new errors.InvalidQuery('from', 'must be an offset')
  if (start > (upload.size ?? Infinity)) throw notThere(reply, upload)
  if (start > upload.offset + AHEAD_BYTES) throw notThere(reply, upload, 'yet')
  reply.header('accept-ranges', 'none')
  return send(scope, reply, upload, start, upload.size)
}

function send (
  scope: Scope, reply: FastifyReply, upload: Upload, start: number, end: number | undefined
): FastifyReply {
  sendDescription(scope, reply, upload)
  if (end !== undefined) reply.header('content-length', end - start)
  const body = new GrowingBody(scope.followers, upload, { start, end: end ?? Infinity })
  // Node.js would keep the headers back until the first byte, which may be long in coming.
  reply.raw.once('pipe', () => reply.raw.flushHeaders())
  return reply.send(body)
}

function notThere (reply: FastifyReply, { size }: Upload, ...yet: ['yet'] | []): Error {
  if (size !== undefined) reply.header('content-range', `bytes */${size}`)
  return new errors.Range(...yet)
}
