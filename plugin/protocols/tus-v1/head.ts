import { inspectUpload } from '../../uploads/inspect.ts'
import { formatUploadMetadata } from './headers.ts'
import { type Handler, sendExpires } from './handler.ts'
import { isPendingFinal } from '../../uploads/state.ts'

/** HEAD: core, and what concatenation adds. */
export const head: Handler = async (wire, request, reply, id) => {
  const upload = await inspectUpload(wire.scope, request, id)

  // Before its parts are joined there is no offset to tell.
  if (!isPendingFinal(upload)) reply.header('upload-offset', upload.offset)
  if (upload.concatenation !== undefined) reply.header('upload-concat', upload.concatenation.header)
  if (upload.size === undefined) reply.header('upload-defer-length', '1')
  else reply.header('upload-length', upload.size)
  const metadata = formatUploadMetadata(upload)
  if (metadata !== '') reply.header('upload-metadata', metadata)
  sendExpires(wire, reply, upload)
  return reply.code(200).send()
}
