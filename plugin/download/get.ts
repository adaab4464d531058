import type { FastifyReply, FastifyRequest } from 'fastify'
import { errors } from '../errors.ts'
import type { Scope } from '../uploads/scope.ts'
import { findReadable, isFinished } from '../uploads/read.ts'
import { sendFinished } from './finished.ts'

/** GET and HEAD of an upload as a file. Not a part of tus, and asked for by browsers without its headers. */
export async function get (
  { scope }: { scope: Scope }, request: FastifyRequest, reply: FastifyReply, id: string
): Promise<FastifyReply> {
  const upload = await findReadable(scope, request, id)
  if (!isFinished(upload)) throw new errors.NotFinished()
  return await sendFinished(scope, request, reply, upload)
}
