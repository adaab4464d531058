import { discard } from './deletions.ts'
import { encodeMetadata } from './metadata.ts'
import { isAtHome, judge } from './retry.ts'
import type { Verdict, Wait } from './retry.ts'

const protocol = { 'Tus-Resumable': '1.0.0' }
// How long the server may take to answer what costs it no work, in ms.
const patience = 10_000

/** Joins partial uploads to one: its URL, or why there is none. */
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
 * Makes the upload that parts are joined to before they have their bytes (concatenation-unfinished).
 * @returns its URL; `null`: the server makes none so early; why it cannot be known whether it was made. It is deleted
 *   then, also if the response comes after the upload was cancelled.
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

/** Whether the server has joined the parts to the upload that was made for them, or the status of its refusal. */
export async function askJoined (url: string): Promise<boolean | number> {
  const signal = AbortSignal.timeout(patience)
  const response = await fetch(url, { method: 'HEAD', headers: protocol, cache: 'no-store', signal }).catch(() => null)
  if (!response?.ok) return response?.status ?? 0
  // One that waits for its parts has no offset.
  const offset = response.headers.get('Upload-Offset')
  return offset !== null && offset === response.headers.get('Upload-Length')
}
