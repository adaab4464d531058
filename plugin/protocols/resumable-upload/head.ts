import { inspectUpload } from '../../uploads/inspect.ts'
import { isWaiting } from '../../uploads/state.ts'
import { addState, type Handler } from './handler.ts'
import { refuseStray } from './stray.ts'

/** HEAD, and GET of an upload that is not served: offset retrieval (section 4.3). */
export const head: Handler = async (exchange) => {
  const { context, request, reply, id } = exchange
  refuseStray(exchange)
  const upload = await inspectUpload(context, request, id)
  addState(exchange, upload)
  // A final upload of tus has no offset until its parts are concatenated.
  if (isWaiting(upload)) reply.removeHeader('upload-offset')
  return reply.code(204).send()
}
