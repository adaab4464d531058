/** The reason of a wait, while the page retries automatically. */
export type Wait = 'offline' | 'unreachable' | 'server' | 'busy' | 'full' | 'stalled'

/** The reason of a permanent failure. `foreign`: the server created the upload on another origin. */
export type Failure =
  | { reason: 'file' | 'tooLarge' | 'gone' | 'foreign' }
  | { reason: 'refused', status: number }

/** Whether a request may be repeated after a response. */
export type Verdict = { wait: Wait } | { failure: Failure }

/** Classifies an error response. Status 0: there was no response. */
export function judge (status: number): Verdict {
  if (status === 0) return { wait: 'unreachable' }
  // 409: another client has appended. 460: the body was damaged. A HEAD for the offset resolves both.
  if (status === 409 || status === 423 || status === 429 || status === 460) return { wait: 'busy' }
  if (status === 507) return { wait: 'full' }
  if (status >= 500) return { wait: 'server' }
  if (status === 404 || status === 410) return { failure: { reason: 'gone' } }
  if (status === 413) return { failure: { reason: 'tooLarge' } }
  return { failure: { reason: 'refused', status } }
}

/** How long to wait before an attempt, in ms; the first attempt is number 0. Retries never end. */
export function delayOf (attempt: number, most = 10_000): number {
  return Math.min(1000 * 2 ** attempt, most)
}

/** How long a connection may be silent before it is considered dead, in ms, after `stalls` reconnections. */
export function patienceAfter (stalls: number): number {
  // A slow network may need long to drain its buffers, so the limit grows until something arrives.
  return Math.min(10_000 * 2 ** stalls, 160_000)
}

/**
 * Whether the `Location` of an upload has the origin of its endpoint. Otherwise a server could make the
 * page send requests such as DELETE to another one.
 */
export function isAtHome (url: string, endpoint: string): boolean {
  return new URL(url).origin === new URL(endpoint).origin
}
