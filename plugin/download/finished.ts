import type { FastifyReply, FastifyRequest } from 'fastify'
import { errors } from '../errors.ts'
import { reuseBuffer } from '../http/reuse-buffer.ts'
import { FileReader } from '../stores/file/file-reader.ts'
import type { Upload } from '../types.ts'
import { readUpload } from '../uploads/read.ts'
import type { DownloadSettings } from '../settings.ts'
import type { Context } from '../uploads/context.ts'
import { callHook } from '../uploads/hooks.ts'
import { evaluate, rangeCounts, type Validators, validatorsOf } from './conditional.ts'
import { sendDescription } from './description.ts'
import { type ByteRange, parseRange } from './range.ts'

/** Sends a finished upload, or the requested range of it (RFC 9110, 13 and 14). */
export async function sendFinished (
  context: Context, request: FastifyRequest, reply: FastifyReply, upload: Upload
): Promise<FastifyReply> {
  const { headers } = request
  const location = await redirectionOf(context, request, upload)
  if (location !== undefined) return reply.headers({ 'cache-control': 'no-store' }).redirect(location, 302)
  const size = upload.offset
  const validators = validatorsOf(upload)
  const status = evaluate(headers, validators)
  if (status === 412) throw new errors.Precondition()
  const range = status === 304 ? undefined : wantedRange(context, request, size, validators)
  if (range === 'unsatisfiable') {
    reply.header('content-range', `bytes */${size}`)
    throw new errors.Range()
  }
  // Read before the headers are set: the upload may have been deleted in the meantime.
  const body = status === 304 || request.method === 'HEAD' ? undefined : await readUpload(context, upload, range)

  const acceptRanges = context.store.capabilities.has('ranges') ? 'bytes' : 'none'
  // `no-transform`: a strong `ETag` and ranges refer to the bytes as stored (RFC 9111, 5.2.2.6).
  reply.headers({ 'cache-control': 'no-cache, no-transform', 'accept-ranges': acceptRanges })
  if (validators.etag !== undefined) {
    reply.headers({ etag: validators.etag, 'last-modified': new Date(Number(validators.modified)).toUTCString() })
  }
  if (status === 304) return reply.code(304).send()
  sendDescription(context, reply, upload)
  const { start, end } = range ?? { start: 0, end: size - 1 }
  reply.header('content-length', end - start + 1)
  if (range !== undefined) reply.code(206).header('content-range', `bytes ${start}-${end}/${size}`)
  if (body instanceof FileReader) reuseBuffer(body, reply)
  return reply.send(body)
}

async function redirectionOf (
  { settings }: Context, request: FastifyRequest, upload: Upload
): Promise<string | undefined> {
  const { redirect } = settings.download as DownloadSettings
  return redirect === undefined ? undefined : await callHook(() => redirect(request, { ...upload }))
}

function wantedRange (
  context: Context, { method, headers }: FastifyRequest, size: number, validators: Validators
): ByteRange | 'unsatisfiable' | undefined {
  // `Range` applies to GET only (RFC 9110, 14.2).
  const counts = method !== 'HEAD' && context.store.capabilities.has('ranges') && rangeCounts(headers, validators)
  return counts && headers.range !== undefined ? parseRange(headers.range, size) : undefined
}
