/** The default endpoint, as configured by the server of the page. */
export async function findOwnEndpoint (): Promise<string> {
  const endpoint = await fetch('config.json')
    .then(response => response.json() as Promise<{ endpoint: string }>)
    .then(config => config.endpoint, () => '/files')
  return new URL(endpoint, location.href).href
}
