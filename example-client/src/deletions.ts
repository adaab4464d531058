import type { Lane } from './lanes.ts'
import { delayOf, judge } from './retry.ts'
import { store } from './store.ts'
import type { UploadRecord } from './store.ts'

const minute = 60_000
const owed = new Set<string>()
let attempt = 0
let timer: ReturnType<typeof setTimeout> | undefined
let deleting = false

/** Deletes an upload on the server, now or when it can be told: until then a reload does not forget it. */
export function discard (url: string): void {
  owed.add(url)
  store.putDeletion({ url, owedAt: Date.now() }).catch(() => {})
  deleteOwed()
}

/** Deletes what lanes have on the server, so that they begin anew. */
export function discardLanes (lanes: readonly Lane[]): void {
  for (const lane of lanes) {
    if (lane.url) discard(lane.url)
    Object.assign(lane, { url: null, accepted: 0, sent: 0 })
  }
}

/** Deletes what waits for lanes that are gone: it would wait for ever. */
export function discardFinal (record: UploadRecord): void {
  if (record.final) discard(record.final)
  record.final = undefined
}

/** Goes on with what earlier visits have left to be deleted. */
export async function restoreDeletions (): Promise<void> {
  for (const { url } of await store.deletions(Date.now()).catch(() => [])) owed.add(url)
  deleteOwed()
}

/** Tries now, and again later where the server cannot be told. */
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

// One after the other: what is uploaded needs the connections more. What is owed in the meantime is deleted too.
async function deleteAll (): Promise<void> {
  for (const url of owed) {
    const verdict = judge(await askToDelete(url))
    // Deleted, gone already, or refused for good.
    if ('wait' in verdict) continue
    owed.delete(url)
    await store.deleteDeletion(url).catch(() => {})
  }
}

async function askToDelete (url: string): Promise<number> {
  const headers = { 'Tus-Resumable': '1.0.0' }
  const signal = AbortSignal.timeout(minute)
  // Kept alive, because the page may be closed in this moment.
  return fetch(url, { method: 'DELETE', headers, keepalive: true, signal }).then(({ status }) => status, () => 0)
}
