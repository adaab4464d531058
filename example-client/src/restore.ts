import { text } from './i18n.ts'
import { own, ownWhenFree } from './ownership.ts'
import { alertVisitor } from './page-view.ts'
import { askOffset } from './server.ts'
import { examine } from './settle.ts'
import { restoreSource } from './sources.ts'
import { store } from './store.ts'
import type { UploadRecord } from './store.ts'
import type { FileUpload } from './upload.ts'
import type { UploadList } from './upload-list.ts'

/** Restores the unfinished uploads of earlier visits. */
export async function restoreUploads (endpoint: string, list: UploadList): Promise<void> {
  const records = await store.uploads(Date.now()).catch(() => {
    alertVisitor(text('noStorage'))
    return []
  })
  for (const record of records.filter(record => record.endpoint === endpoint)) await restoreUpload(record, list)
}

/** Restores an earlier upload, or shows that another tab owns it. */
export async function restoreUpload (record: UploadRecord, list: UploadList): Promise<void> {
  const mine = await own(record.id)
  // It may have entered the list while others were restored.
  if (list.uploads.some(({ id }) => id === record.id)) return
  if (mine) await bringBack(record, list)
  else watchOther(record, list)
}

/** Restores the file of an upload, if possible. `ask` allows the permission prompt of the browser, on a click. */
export async function takeSource (upload: FileUpload, ask: boolean, list: UploadList): Promise<void> {
  const found = await restoreSource(upload.record, ask)
  // Cancelled in the meantime, or the visitor has chosen its file.
  if (upload.state !== 'missing') return
  if (typeof found === 'string') {
    upload.lose(ask && found === 'permission' ? 'refused' : found)
    // The stored offset may be older than that of the server.
    return upload.learn(await Promise.all(upload.lanes.map(lane => askOffset(lane.url))))
  }
  const { paused } = upload.record
  upload.kept = found.kept
  upload.adopt(found.body, found.original, found.handle)
  if (paused && !ask) upload.pause(upload.begun ? 'paused' : 'ready')
  examine(upload, () => list.rowOf(upload)?.render())
}

async function bringBack (record: UploadRecord, list: UploadList): Promise<void> {
  const upload = list.show(record, null, 'missing')
  await takeSource(upload, false, list)
  list.startNext()
}

// Shows an upload of another tab, and takes it over when that tab releases it.
function watchOther (record: UploadRecord, list: UploadList): void {
  const shown = list.show(record, null, 'elsewhere')
  ownWhenFree(record.id).then(async () => {
    list.remove(shown)
    const left = await store.upload(record.id).catch(() => undefined)
    if (left) await bringBack(left, list)
  }).catch(reportError)
}
