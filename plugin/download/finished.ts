import type { FastifyReply, FastifyRequest } from 'fastify'
import { errors } from '../errors.ts'
import type { Upload } from '../types.ts'
import { readUpload } from '../uploads/read.ts'
import type { Scope } from '../uploads/context.ts'
import { evaluate, rangeCounts, type Validators, validatorsOf } from './conditional.ts'
import { sendDescription } from './description.ts'
import { type ByteRange, parseRange } from './range.ts'

/** Answers with a finished upload, or the range of it that was asked for (RFC 9110, 13 and 14). */
export async function sendFinished (
  scope: Scope, request: FastifyRequest, reply: FastifyReply, upload: Upload
): Promise<FastifyReply> {
  const { headers } = request
  const size = upload.offset
  const validators = validatorsOf(upload)
  const status = evaluate(headers, validators)
  if (status === 412) throw new errors.Precondition()
  const range = status === 304 ? undefined : wantedRange(scope, request, size, validators)
  if (range === 'unsatisfiable') {
    reply.header('content-range', `bytes */${size}`)
    throw new errors.Range()
  }
  // Read before a header tells of it: it may be gone since it was looked at.
  const body = status === 304 || request.method === 'HEAD' ? undefined : await readUpload(scope, upload.id, range)

  reply.headers({ 'cache-control': 'no-cache', 'accept-ranges': scope.store.canReadRanges ? 'bytes' : 'none' })
  if (validators.etag !== undefined) {
    reply.headers({ etag: validators.etag, 'last-modified': new Date(Number(validators.modified)).toUTCString() })
  }
  if (status === 304) return reply.code(304).send()
  sendDescription(scope, reply, upload)
  const { start, end } = range ?? { start: 0, end: size - 1 }
  reply.header('content-length', end - start + 1)
  if (range !== undefined) reply.code(206).header('content-range', `bytes ${start}-${end}/${size}`)
  return reply.send(body)
}

function wantedRange (
  scope: Scope, { method, headers }: FastifyRequest, size: number, validators: Validators
): ByteRange | 'unsatisfiable' | undefined {
  // The header has a meaning for GET only (RFC 9110, 14.2).
  const counts = method !== 'HEAD' && scope.store.canReadRanges && rangeCounts(headers, validators)
  return counts && headers.range !== undefined ? parseRange(headers.range, size) : undefined
}
