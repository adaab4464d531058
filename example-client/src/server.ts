import { askAbout } from './watch/about.ts'

/** How many bytes of an upload the server has; `null` where that cannot be told. */
export async function askOffset (url: string | null): Promise<number | null> {
  const about = url === null ? null : await askAbout(url).catch(() => null)
  return about?.offset ?? null
}

/** Whether the server has all of an upload. */
export async function isFinished (url: string): Promise<boolean> {
  const about = await askAbout(url).catch(() => null)
  return about !== null && about.offset === about.length
}
