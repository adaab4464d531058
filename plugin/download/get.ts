import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Scope } from '../uploads/scope.ts'
import { readUpload } from '../uploads/read.ts'
import { describe } from './description.ts'

/** GET: a finished upload as a file. Not a part of tus, and asked for by browsers without its headers. */
export async function get (
  { scope }: { scope: Scope }, request: FastifyRequest, reply: FastifyReply, id: string
): Promise<FastifyReply> {
  const { upload, open } = await readUpload(scope, request, id)
  const { type, disposition } = describe(upload.metadata)
  reply
    .header('content-type', type)
    .header('content-length', upload.size)
    .header('content-disposition', disposition)
    .header('x-content-type-options', 'nosniff')
  return reply.send(await open())
}
