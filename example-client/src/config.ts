/** The URL that uploads are sent to: `?endpoint=` of the page's address, or what the server says about itself. */
export async function findEndpoint (): Promise<string> {
  const asked = new URLSearchParams(location.search).get('endpoint')
  const endpoint = asked ?? await fetch('config.json')
    .then(response => response.json() as Promise<{ endpoint: string }>)
    .then(config => config.endpoint, () => '/files')
  return new URL(endpoint, location.href).href
}
