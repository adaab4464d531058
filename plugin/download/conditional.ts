import type { IncomingHttpHeaders } from 'node:http'
import type { Upload } from '../types.ts'

/** Validators identify one state of a file (RFC 9110, 8.8). Without a date, there are none. */
export interface Validators {
  etag?: string
  /** In ms since the epoch, rounded down to a second. */
  modified?: number
}

/** The validators of a finished upload. Its bytes never change, so the `ETag` is strong. */
export function validatorsOf ({ size, modified, creation_date: created = '' }: Upload): Validators {
  const at = Math.floor(modified ?? Date.parse(created))
  if (Number.isNaN(at)) return {}
  return { etag: `"${Number(size).toString(36)}-${at.toString(36)}"`, modified: at - at % 1000 }
}

/**
 * Evaluates the preconditions of a GET or HEAD in the order of RFC 9110, 13.2.2.
 * @returns the status of the response; 200 if no precondition fails
 */
export function evaluate (headers: IncomingHttpHeaders, { etag, modified = NaN }: Validators): 200 | 304 | 412 {
  const ifMatch = headers['if-match']
  const unmodifiedSince = Date.parse(headers['if-unmodified-since'] ?? '')
  if (ifMatch !== undefined) {
    if (ifMatch !== '*' && !tagsOf(ifMatch).some((tag) => tag === etag)) return 412
  } else if (modified > unmodifiedSince) return 412

  const ifNoneMatch = headers['if-none-match']
  const modifiedSince = Date.parse(headers['if-modified-since'] ?? '')
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch === '*' || tagsOf(ifNoneMatch).some((tag) => tag.replace(/^W\//, '') === etag)) return 304
  } else if (modified <= modifiedSince) return 304
  return 200
}

/** Whether `Range` applies: there is no `If-Range`, or it matches (RFC 9110, 13.1.5). */
export function rangeCounts (headers: IncomingHttpHeaders, { etag, modified }: Validators): boolean {
  const ifRange = headers['if-range']
  if (ifRange === undefined) return true
  return ifRange === etag || Date.parse(String(ifRange)) === modified
}

function tagsOf (list: string): string[] {
  return list.match(/(?:W\/)?"[^"]*"/g) ?? []
}
