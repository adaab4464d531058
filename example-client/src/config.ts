/** The URL that uploads are sent to by default: what the page's own server says about itself. */
export async function findOwnEndpoint (): Promise<string> {
  const endpoint = await fetch('config.json')
    .then(response => response.json() as Promise<{ endpoint: string }>)
    .then(config => config.endpoint, () => '/files')
  return new URL(endpoint, location.href).href
}
