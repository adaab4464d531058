import type { IncomingHttpHeaders } from 'node:http'
import { errors } from '../errors.ts'

/** What a browser runs, or lets change how a page looks or is installed (Fetch, 2.2.5 "destination"). */
const REFUSED: ReadonlySet<unknown> = new Set([
  'audioworklet', 'manifest', 'paintworklet', 'script', 'serviceworker', 'sharedworker', 'style', 'worker', 'xslt'
])

/**
 * Refuses a request whose response would become a part of the app: a `Content-Security-Policy` with `'self'` lets pass
 * what comes from its own origin.
 * @throws FST_TUS_DESTINATION
 */
export function checkDestination (headers: IncomingHttpHeaders): void {
  // Browsers without `Sec-Fetch-Dest` send `Service-Worker` too (Service Workers, "Update").
  const destination = headers['service-worker'] === 'script' ? 'serviceworker' : headers['sec-fetch-dest']
  if (REFUSED.has(destination)) throw new errors.Destination(destination)
}
