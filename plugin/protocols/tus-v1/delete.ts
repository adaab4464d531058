import { terminateUpload } from '../../uploads/terminate.ts'
import type { Handler } from './handler.ts'

/** DELETE: termination. */
export const del: Handler = async (wire, request, reply, id) => {
  await terminateUpload(wire.scope, request, id)
  return reply.code(204).send()
}
