import { terminateUpload } from '../../uploads/terminate.ts'
import type { Handler } from './handler.ts'
import { refuseStray } from './stray.ts'

/** DELETE: cancellation (section 4.5). */
export const del: Handler = async (exchange) => {
  const { context, request, reply, id } = exchange
  refuseStray(exchange)
  await terminateUpload(context, request, id)
  return reply.code(204).send()
}
