import type { Lane } from './lanes.ts'
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

/** Those of some lanes that the server says it does not have; `known` is one of them. */
export async function findGone (lanes: readonly Lane[], known: Lane | null = null): Promise<Lane[]> {
  const asked = lanes.map(({ url }) => url === null ? undefined : askAbout(url).catch(() => undefined))
  const abouts = await Promise.all(asked)
  return lanes.filter((lane, index) => lane === known || abouts[index] === null)
}
