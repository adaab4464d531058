/** Why nothing goes on for now, while the page tries again by itself. */
export type Wait = 'offline' | 'unreachable' | 'server' | 'busy' | 'full' | 'stalled'

/** Why an upload has stopped for good. `foreign`: the server has put it on another origin. */
export type Failure =
  | { reason: 'file' | 'tooLarge' | 'gone' | 'foreign' }
  | { reason: 'refused', status: number }

/** Whether a request may be repeated after a response. */
export type Verdict = { wait: Wait } | { failure: Failure }

/** What an answer that was not hoped for means; status 0: there was none. */
export function judge (status: number): Verdict {
  if (status === 0) return { wait: 'unreachable' }
  // 409: another client has appended; 460: the body was damaged. Asking for the offset fixes both.
  if (status === 409 || status === 423 || status === 429 || status === 460) return { wait: 'busy' }
  if (status === 507) return { wait: 'full' }
  if (status >= 500) return { wait: 'server' }
  if (status === 404 || status === 410) return { failure: { reason: 'gone' } }
  if (status === 413) return { failure: { reason: 'tooLarge' } }
  return { failure: { reason: 'refused', status } }
}

/** How long to wait before a try, in ms; the first one has the number 0. It is tried for ever, every `most` ms. */
export function delayOf (attempt: number, most = 10_000): number {
  return Math.min(1000 * 2 ** attempt, most)
}

/** How long no byte may move before the connection counts as dead, in ms, after so many times that this was in vain. */
export function patienceAfter (stalls: number): number {
  // A slow network may need long for what its buffers hold, so the patience grows until something arrives.
  return Math.min(10_000 * 2 ** stalls, 160_000)
}

/**
 * Whether the `Location` of an upload is of the origin of its endpoint. A server that names another one could make the
 * page send requests there, DELETE for one.
 */
export function isAtHome (url: string, endpoint: string): boolean {
  return new URL(url).origin === new URL(endpoint).origin
}
