import { parseMetadata } from '../metadata.ts'

/** What the server says of an upload. */
export interface About {
  offset: number
  /** `null` while it is not known, as of a recording that goes on. */
  length: number | null
  metadata: Record<string, string>
}

// How long an answer may take, in ms. A browser would wait for minutes for a server that hangs.
const patience = 5000

/**
 * Asks the server of an upload.
 * @returns `null` where there is no such upload
 * @throws Error where nobody answers, or not well
 */
export async function askAbout (url: string): Promise<About | null> {
  const response = await fetch(url, {
    method: 'HEAD',
    headers: { 'Tus-Resumable': '1.0.0' },
    cache: 'no-store',
    signal: AbortSignal.timeout(patience)
  })
  if (response.status === 404 || response.status === 410) return null
  const offset = response.headers.get('Upload-Offset')
  if (!response.ok || offset === null) throw new Error(`status ${response.status}`)
  const length = response.headers.get('Upload-Length')
  return {
    offset: Number(offset),
    length: length === null ? null : Number(length),
    metadata: parseMetadata(response.headers.get('Upload-Metadata') ?? '')
  }
}
