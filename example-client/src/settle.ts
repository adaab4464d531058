import { findLayout } from './edit/faststart.ts'
import { readMedia } from './inspect/media.ts'
import { isOver } from './queue.ts'
import { keepSource } from './sources.ts'
import { store } from './store.ts'
import type { FileUpload } from './upload.ts'

// One after the other: each may hold a decoder.
let examined: Promise<void> = Promise.resolve()

/** Keeps what an upload needs after a reload. `copyCap`: the largest file to copy, in bytes. */
export async function keep (upload: FileUpload, copyCap: number, onKept: () => void): Promise<void> {
  const { body, record, handle } = upload
  if (!body) return
  const kept = await keepSource(record, body, handle, copyCap)
  // Finished in the meantime: nothing may be left behind.
  if (isOver(upload)) return store.delete(record.id)
  upload.kept = kept
  onKept()
}

/** Finds out, when there is time, what a file looks like. */
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
