import { fingerprint } from './fingerprint.ts'
import type { Picked } from './intake.ts'
import { alone, own } from './ownership.ts'
import { isFinished } from './server.ts'
import { store } from './store.ts'
import type { UploadRecord } from './store.ts'

/** The file of an upload. Files in other folders may have the same name. */
export async function findOwn (
  { file: { name }, fingerprint: print, recipe }: UploadRecord, picked: readonly Picked[]
): Promise<Picked | undefined> {
  for (const each of picked.filter(({ file }) => file.name === name)) {
    if (await fingerprint(each.file, recipe).catch(() => null) === print) return each
  }
}

/**
 * Claims an upload for this tab and stores it, in one step. Otherwise two tabs that get the same file at the
 * same time would both upload it.
 * @returns an earlier upload of the same file, if there is one
 */
export function claim (record: UploadRecord): Promise<UploadRecord | undefined> {
  return alone(record.fingerprint, async () => {
    const same = await store.uploadsOf(record.fingerprint).catch(() => [])
    const begun = same.find(({ endpoint }) => endpoint === record.endpoint)
    if (begun) return begun
    await own(record.id)
    await store.putUpload(record).catch(() => {})
  })
}

/** The URL of a file that this browser has already uploaded, if the server still has the complete file. */
export async function findOnServer ({ fingerprint, endpoint }: UploadRecord): Promise<string | null> {
  const known = await store.finished(fingerprint).catch(() => undefined)
  return known?.endpoint === endpoint && await isFinished(known.url) ? known.url : null
}
