const headers = { 'Tus-Resumable': '1.0.0' }

/** How many bytes of an upload the server has; `null` where that cannot be told. */
export async function askOffset (url: string | null): Promise<number | null> {
  if (url === null) return null
  const response = await fetch(url, { method: 'HEAD', headers }).catch(() => null)
  const offset = response?.ok ? response.headers.get('Upload-Offset') : null
  return offset ? Number(offset) : null
}

/** Whether the server has all of an upload. */
export async function isFinished (url: string): Promise<boolean> {
  const response = await fetch(url, { method: 'HEAD', headers }).catch(() => null)
  const offset = response?.ok ? response.headers.get('Upload-Offset') : null
  return offset !== null && offset === response?.headers.get('Upload-Length')
}
