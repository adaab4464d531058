import type { Lane } from './lanes.ts'
import type { Growth } from './watch/look.ts'

// How long a response may take, in ms. A browser waits for minutes if the server hangs.
const patience = 5000

/** The offset of an upload; `null` if it is unknown. */
export async function askOffset (url: string | null): Promise<number | null> {
  const about = url === null ? null : await askAbout(url).catch(() => null)
  return about?.offset ?? null
}

/** Whether an upload is complete. */
export async function isFinished (url: string): Promise<boolean> {
  const about = await askAbout(url).catch(() => null)
  return about !== null && about.offset === about.length
}

/** The lanes that the server no longer has. `known` is one of them. */
export async function findGone (lanes: readonly Lane[], known: Lane | null = null): Promise<Lane[]> {
  const asked = lanes.map(({ url }) => url === null ? undefined : askAbout(url).catch(() => undefined))
  const abouts = await Promise.all(asked)
  return lanes.filter((lane, index) => lane === known || abouts[index] === null)
}

// A tus HEAD displaces the request that writes, so only the owner of an upload may send it.
async function askAbout (url: string): Promise<Growth | null> {
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
  return { offset: Number(offset), length: length === null ? null : Number(length) }
}
