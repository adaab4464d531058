import { findLayout } from './edit/faststart.ts'
import { readMedia } from './inspect/media.ts'
import { isOver } from './queue.ts'
import { keepSource } from './sources.ts'
import { store } from './store.ts'
import type { FileUpload } from './upload.ts'

// One at a time, because each may hold a decoder.
let examined: Promise<void> = Promise.resolve()

/** Stores the source of an upload for a reload. `copyCap`: the largest file to copy, in bytes. */
export async function keep (upload: FileUpload, copyCap: number, onKept: () => void): Promise<void> {
  const { body, record, handle } = upload
  if (!body) return
  const kept = await keepSource(record, body, handle, copyCap)
  // Finished in the meantime, so nothing may be left.
  if (isOver(upload)) return store.delete(record.id)
  upload.kept = kept
  onKept()
}

/** Finds the layout and the thumbnail of a file in the background. */
export function examine (upload: FileUpload, onFound: () => void): void {
  const { body } = upload
  if (!body) return
  examined = examined.then(async () => {
    if (upload.state === 'cancelled') return
    upload.layout = await findLayout(body).catch(() => 'none')
    onFound()
    if (!/^(video|image)\//.test(body.type)) return
    upload.poster = (await readMedia(body))?.poster ?? null
    onFound()
  }).catch(reportError)
}
