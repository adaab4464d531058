/** The URL that uploads are sent to, where the page's address names one: `?endpoint=`. */
export function askedEndpoint (): string | null {
  const asked = new URLSearchParams(location.search).get('endpoint')
  return asked ? new URL(asked, location.href).href : null
}

/** The URL that uploads are sent to otherwise: what the page's own server says about itself. */
export async function findOwnEndpoint (): Promise<string> {
  const endpoint = await fetch('config.json')
    .then(response => response.json() as Promise<{ endpoint: string }>)
    .then(config => config.endpoint, () => '/files')
  return new URL(endpoint, location.href).href
}
