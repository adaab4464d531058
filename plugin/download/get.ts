import type { FastifyReply, FastifyRequest } from 'fastify'
import { errors } from '../errors.ts'
import { waitForTurn } from '../http/turns.ts'
import { limitStreams } from '../http/upload-window.ts'
import { isUploadId } from '../ids.ts'
import type { Context } from '../uploads/context.ts'
import { findReadable } from '../uploads/read.ts'
import { isFinished, isPartial } from '../uploads/state.ts'
import { checkDestination } from './destination.ts'
import { sendFinished } from './finished.ts'
import { sendGrowing, sendTail } from './growing.ts'
import { sendProgress, wantsEvents } from './progress-events.ts'

/** The description of a download, for `@fastify/swagger`. */
export const operation = { method: 'GET', schema: { summary: 'Downloads an upload', tags: ['uploads'] } }

/**
 * GET and HEAD of an upload as a file. This is plain HTTP, which no upload protocol defines.
 * @param options.mayGrow - whether the request may get an upload that is not finished, if the app allows it
 */
export async function download (
  context: Context, request: FastifyRequest, reply: FastifyReply, id: string, options: { mayGrow: boolean }
): Promise<FastifyReply> {
  if (!isUploadId(id)) throw new errors.NotFound()
  checkDestination(request.headers)
  if (request.method !== 'HEAD') {
    limitStreams(request)
    if (!await waitForTurn(request, reply)) return reply.hijack()
  }
  const upload = await findReadable(context, request, id)
  if (wantsEvents(request)) return sendProgress(context, request, reply, upload)
  // `allowedTypes` and the finish hook check the final upload, not its parts.
  if (isPartial(upload)) throw new errors.NotFinished()
  const { from } = request.query as { from?: string }
  const mayGrow = context.settings.download?.growing === true && options.mayGrow && request.method !== 'HEAD'
  if (!isFinished(upload) && !mayGrow) throw new errors.NotFinished()
  if (from !== undefined && mayGrow) return sendTail(context, reply, upload, String(from))
  return isFinished(upload)
    ? await sendFinished(context, request, reply, upload)
    : sendGrowing(context, request, reply, upload)
}
