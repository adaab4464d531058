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

/** `Upload-Metadata`: keys, and their values in Base64 of UTF-8 (tus 1.0.0, Creation). */
export function encodeMetadata (metadata: Record<string, string>): string {
  return Object.entries(metadata).map(([key, value]) =>
    `${key} ${btoa(String.fromCharCode(...new TextEncoder().encode(value)))}`).join(',')
}
