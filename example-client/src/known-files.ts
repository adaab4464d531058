import { fingerprint } from './fingerprint.ts'
import type { Picked } from './intake.ts'
import { alone, own } from './ownership.ts'
import { isFinished } from './server.ts'
import { store } from './store.ts'
import type { UploadRecord } from './store.ts'

/** The file that an upload is made from. Files of other folders may have its name. */
export async function findOwn (
  { file: { name }, fingerprint: print, recipe }: UploadRecord, picked: readonly Picked[]
): Promise<Picked | undefined> {
  for (const each of picked.filter(({ file }) => file.name === name)) {
    if (await fingerprint(each.file, recipe).catch(() => null) === print) return each
  }
}

/**
 * Makes an upload this tab's own and stores it, in one step: otherwise two tabs that are given the same file at the
 * same time would both send it.
 * @returns the upload of the same file that was begun before, if there is one
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

/** The URL of a file that this browser has uploaded before, if the server still has all of it. */
export async function findOnServer ({ fingerprint, endpoint }: UploadRecord): Promise<string | null> {
  const known = await store.finished(fingerprint).catch(() => undefined)
  return known?.endpoint === endpoint && await isFinished(known.url) ? known.url : null
}
