import type { FastifyReply, FastifyRequest } from 'fastify'
import { errors } from '../errors.ts'
import type { Scope } from '../uploads/context.ts'
import { findReadable, isFinished } from '../uploads/read.ts'
import { sendFinished } from './finished.ts'
import { sendGrowing, sendTail } from './growing.ts'
import { sendProgress, wantsEvents } from './progress.ts'

/** GET and HEAD of an upload as a file. Not a part of tus, and asked for by browsers without its headers. */
export async function get (
  { scope }: { scope: Scope }, request: FastifyRequest, reply: FastifyReply, id: string
): Promise<FastifyReply> {
  const upload = await findReadable(scope, request, id)
  if (wantsEvents(request)) return sendProgress(scope, request, reply, upload)
  const { from } = request.query as { from?: string }
  const growing = scope.settings.download?.growing === true && request.method !== 'HEAD'
  if (!isFinished(upload) && !growing) throw new errors.NotFinished()
  if (from !== undefined && growing) return sendTail(scope, reply, upload, String(from))
  return isFinished(upload)
    ? await sendFinished(scope, request, reply, upload)
    : sendGrowing(scope, request, reply, upload)
}
