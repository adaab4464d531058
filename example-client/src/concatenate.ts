import { encodeMetadata } from './metadata.ts'

/** Joins finished partial uploads to one: its URL, or the status of the refusal, 0 for no answer. */
export async function concatenate (
  endpoint: string,
  urls: readonly string[],
  metadata: Record<string, string>
): Promise<{ status: number, url: string | null }> {
  try {
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: {
        'Tus-Resumable': '1.0.0',
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
