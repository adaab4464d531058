import type { IncomingHttpHeaders } from 'node:http'
import { errors } from '../errors.ts'

/**
 * Destinations that a browser runs, or that change the look or the installation of a page (Fetch, 2.2.5 "destination").
 */
const REFUSED: ReadonlySet<unknown> = new Set([
  'audioworklet', 'manifest', 'paintworklet', 'script', 'serviceworker', 'sharedworker', 'style', 'worker', 'xslt'
])

/**
 * Refuses a request whose response would become part of the app: a `Content-Security-Policy` with `'self'` allows
 * everything from the same origin.
 * @throws FST_TUS_DESTINATION
 */
export function checkDestination (headers: IncomingHttpHeaders): void {
  // Browsers without `Sec-Fetch-Dest` send `Service-Worker` too (Service Workers, "Update").
  const destination = headers['service-worker'] === 'script' ? 'serviceworker' : headers['sec-fetch-dest']
  if (REFUSED.has(destination)) throw new errors.Destination(destination)
}
