import { discard } from './deletions.ts'
import { encodeMetadata } from './metadata.ts'
import { isAtHome, judge } from './retry.ts'
import type { Verdict, Wait } from './retry.ts'

const protocol = { 'Tus-Resumable': '1.0.0' }
// How long the server may take to respond to a request that costs no work, in ms.
const patience = 10_000

/** Joins partial uploads to a final upload. Returns its URL or the reason of the failure. */
export async function concatenate (
  endpoint: string,
  urls: readonly string[],
  metadata: Record<string, string>
): Promise<{ url: string } | { url: null, verdict: Verdict }> {
  try {
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: {
        ...protocol,
        'Upload-Concat': `final;${urls.join(' ')}`,
        'Upload-Metadata': encodeMetadata(metadata)
      }
    })
    const location = response.ok ? response.headers.get('Location') : null
    if (location === null) return { url: null, verdict: judge(response.status) }
    const url = new URL(location, endpoint).href
    return isAtHome(url, endpoint) ? { url } : { url: null, verdict: { failure: { reason: 'foreign' } } }
  } catch {
    return { url: null, verdict: judge(0) }
  }
}

/**
 * Creates the final upload before its parts have any bytes (concatenation-unfinished).
 * @returns its URL; `null` if the server does not support that; or why its creation is uncertain. A final upload whose
 *   response arrives too late, or after the upload was cancelled, is deleted.
 */
export function reserve (
  endpoint: string,
  urls: readonly string[],
  metadata: Record<string, string>,
  isWanted: () => boolean
): Promise<string | null | { wait: Wait }> {
  return new Promise((resolve, reject) => {
    let late = false
    const timer = setTimeout(() => {
      late = true
      resolve({ wait: 'stalled' })
    }, patience)
    concatenate(endpoint, urls, metadata).then(answer => {
      clearTimeout(timer)
      if (answer.url !== null) {
        if (late || !isWanted()) discard(answer.url)
        resolve(answer.url)
      } else {
        resolve('wait' in answer.verdict ? answer.verdict : null)
      }
    }).catch(reject)
  })
}

/** Whether the server has joined the parts to their final upload, or the status of the refusal. */
export async function askJoined (url: string): Promise<boolean | number> {
  const signal = AbortSignal.timeout(patience)
  const response = await fetch(url, { method: 'HEAD', headers: protocol, cache: 'no-store', signal }).catch(() => null)
  if (!response?.ok) return response?.status ?? 0
  // A final upload that waits for its parts has no offset.
  const offset = response.headers.get('Upload-Offset')
  return offset !== null && offset === response.headers.get('Upload-Length')
}
