import type { Lane } from './lanes.ts'
import { delayOf, judge } from './retry.ts'
import { store } from './store.ts'
import type { UploadRecord } from './store.ts'

const minute = 60_000
const owed = new Set<string>()
let attempt = 0
let timer: ReturnType<typeof setTimeout> | undefined
let deleting = false

/** Deletes an upload on the server, now or when the server is reachable. A pending deletion survives reloads. */
export function discard (url: string): void {
  owed.add(url)
  store.putDeletion({ url, owedAt: Date.now() }).catch(() => {})
  deleteOwed()
}

/** Deletes the uploads of lanes on the server, so that the lanes start over. */
export function discardLanes (lanes: readonly Lane[]): void {
  for (const lane of lanes) {
    if (lane.url) discard(lane.url)
    Object.assign(lane, { url: null, accepted: 0, sent: 0 })
  }
}

/** Deletes a final upload whose lanes are gone, because it would never be joined. */
export function discardFinal (record: UploadRecord): void {
  if (record.final) discard(record.final)
  record.final = undefined
}

/** Continues with the pending deletions of earlier visits. */
export async function restoreDeletions (): Promise<void> {
  for (const { url } of await store.deletions(Date.now()).catch(() => [])) owed.add(url)
  deleteOwed()
}

/** Tries now, and retries later if the server is not reachable. */
export function deleteOwed (): void {
  clearTimeout(timer)
  if (deleting) return
  deleting = true
  deleteAll().finally(() => {
    deleting = false
    if (owed.size > 0) timer = setTimeout(deleteOwed, delayOf(attempt++, minute))
    else attempt = 0
  }).catch(reportError)
}

// One at a time, because uploads need the connections more. Includes deletions that are added in the meantime.
async function deleteAll (): Promise<void> {
  for (const url of owed) {
    const verdict = judge(await askToDelete(url))
    // Deleted, already gone, or refused for good.
    if ('wait' in verdict) continue
    owed.delete(url)
    await store.deleteDeletion(url).catch(() => {})
  }
}

async function askToDelete (url: string): Promise<number> {
  const headers = { 'Tus-Resumable': '1.0.0' }
  const signal = AbortSignal.timeout(minute)
  // `keepalive`, because the page may be closing.
  return fetch(url, { method: 'DELETE', headers, keepalive: true, signal }).then(({ status }) => status, () => 0)
}
