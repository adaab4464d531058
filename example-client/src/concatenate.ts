import { discard } from './deletions.ts'
import { encodeMetadata } from './metadata.ts'
import { judge } from './retry.ts'
import type { Wait } from './retry.ts'

const protocol = { 'Tus-Resumable': '1.0.0' }
// How long the server may take to answer what costs it no work, in ms.
const patience = 10_000

/** Joins partial uploads to one: its URL, or the status of the refusal, 0 for no answer. */
export async function concatenate (
  endpoint: string,
  urls: readonly string[],
  metadata: Record<string, string>
): Promise<{ status: number, url: string | null }> {
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
    return { status: response.status, url: location === null ? null : new URL(location, endpoint).href }
  } catch {
    return { status: 0, url: null }
  }
}

/**
 * Makes the upload that parts are joined to before they have their bytes (concatenation-unfinished).
 * @returns its URL; `null`: the server makes none so early; why it cannot be known whether it was made. It is deleted
 *   then, however late the answer comes, and so where nobody wants it any more.
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
    concatenate(endpoint, urls, metadata).then(({ status, url }) => {
      clearTimeout(timer)
      if (url && (late || !isWanted())) discard(url)
      const verdict = judge(status)
      resolve(url || 'failure' in verdict ? url : verdict)
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
