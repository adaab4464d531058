import { inspectUpload } from '../../uploads/inspect.ts'
import { isWaiting } from '../../uploads/state.ts'
import { addExpires, type Handler } from './handler.ts'
import { formatUploadMetadata } from './headers.ts'

/** HEAD: core and concatenation. */
export const head: Handler = async (tus, request, reply, id) => {
  const upload = await inspectUpload(tus.context, request, id)

  // Until its parts are concatenated there is no offset.
  if (!isWaiting(upload)) reply.header('upload-offset', upload.offset)
  if (upload.concatenation !== undefined) reply.header('upload-concat', upload.concatenation.header)
  if (upload.size === undefined) reply.header('upload-defer-length', '1')
  else reply.header('upload-length', upload.size)
  const metadata = formatUploadMetadata(upload)
  if (metadata !== '') reply.header('upload-metadata', metadata)
  addExpires(tus, reply, upload)
  return reply.code(200).send()
}
