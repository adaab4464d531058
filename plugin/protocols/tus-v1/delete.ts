import { terminateUpload } from '../../uploads/terminate.ts'
import type { Handler } from './handler.ts'

/** DELETE: termination. */
export const del: Handler = async ({ context }, request, reply, id) => {
  await terminateUpload(context, request, id)
  return reply.code(204).send()
}
