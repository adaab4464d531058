import { setTimeout as wait } from 'node:timers/promises'

const FIRST_DELAY_MS = 100
const LONGEST_DELAY_MS = 5000

/**
 * Errors with a status below 500 after which the same request may succeed. A 409 is one of two concurrent requests.
 * After `RequestTimeTooSkewed` the SDK signs with the time of the server, but it does not always repeat the request.
 */
const retryableNames = new Set(['RequestTimeout', 'RequestTimeTooSkewed', 'ThrottlingException'])
const retryableStatuses = new Set([408, 409, 429])

export function statusOf (error: unknown): number | undefined {
  return (Object(error) as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode
}

/**
 * Repeats a request after failures that may pass, with a growing random delay.
 * @param time - how long, in ms
 */
export async function retry<T> (request: () => Promise<T>, time: number): Promise<T> {
  const latest = performance.now() + time
  const attempt = async (longest: number): Promise<T> => {
    try {
      return await request()
    } catch (error) {
      // Full jitter: processes that failed together do not come back together.
      const delay = Math.random() * longest
      if (!isRetryable(error) || performance.now() + delay > latest) throw error
      await wait(delay)
    }
    return await attempt(Math.min(LONGEST_DELAY_MS, 2 * longest))
  }
  return await attempt(FIRST_DELAY_MS)
}

/**
 * Whether the same request may succeed later. An error without a status is one of the network, or of a damaged
 * response, which has no name in the SDK. Some servers do not replace an object and its checksum at the same time.
 */
function isRetryable (error: unknown): boolean {
  const { name, message } = Object(error) as Partial<Error>
  const status = statusOf(error)
  if (status === undefined) return isNetworkError(error) || String(message).startsWith('Checksum mismatch')
  return status >= 500 || retryableStatuses.has(status) || retryableNames.has(String(name))
}

/** Not an error of the configuration, such as missing credentials, or of the program, such as ERR_INVALID_ARG_TYPE. */
function isNetworkError (error: unknown): boolean {
  const { code, name } = Object(error) as { code?: unknown, name?: string }
  return name === 'TimeoutError' || name === 'AbortError' || (typeof code === 'string' && /^E(?!RR_)[A-Z_]+$/.test(code))
}
