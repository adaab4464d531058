import type { IncomingHttpHeaders } from 'node:http'
import { formatBoolean, parseBoolean, parseInteger } from './fields.ts'

/** What differs between the interop versions of the draft. Everything else is the union of all of them. */
export interface Dialect {
  /** The field that says whether a request completes the upload; the older one says the opposite. */
  completeness: 'upload-complete' | 'upload-incomplete'
  /** Whether PATCH must have that field. If not, PATCH without it completes the upload. */
  needsCompleteness: boolean
  /** Whether the body of PATCH must be `application/partial-upload`. */
  needsMediaType: boolean
  /** The status of a PATCH that does not complete the upload. */
  appended: 201 | 204
  /** The key of the lifetime of an upload in `Upload-Limit`. */
  lifetime: 'expires' | 'max-age' | undefined
  /** Whether `Upload-Offset` of a creation, and state fields of HEAD and DELETE, are errors. */
  refusesStray: boolean
  /** Whether a 104 may report progress. */
  reportsProgress: boolean
  /** Whether each 104 for a creation repeats `Location`. */
  repeatsLocation: boolean
}

/** draft-ietf-httpbis-resumable-upload-09 to -12. */
const current: Dialect = {
  completeness: 'upload-complete',
  needsCompleteness: true,
  needsMediaType: true,
  appended: 204,
  lifetime: 'max-age',
  refusesStray: false,
  reportsProgress: true,
  repeatsLocation: true
}

/** By interop version. Each row has the differences from the row above; the comment has the drafts. */
const version7: Dialect = { ...current, repeatsLocation: false } // -06 to -08
const version6: Dialect = {
  ...version7, needsCompleteness: false, appended: 201, lifetime: 'expires', refusesStray: true
} // -04, -05
const version5: Dialect = { ...version6, needsMediaType: false, lifetime: undefined } // -03
const version4: Dialect = { ...version5, reportsProgress: false } // -02
const version3: Dialect = { ...version4, completeness: 'upload-incomplete' } // -01

const dialects: ReadonlyMap<number | undefined, Dialect> = new Map([
  [3, version3], [4, version4], [5, version5], [6, version6], [7, version7], [8, current], [9, current]
])

/** The version of a request; `undefined` without one, or if it is not an Integer. */
export function versionOf (headers: IncomingHttpHeaders): number | undefined {
  return parseInteger(headers['upload-draft-interop-version'])
}

/** The version of a request, if this server knows it. Only such a client gets interim responses. */
export function knownVersionOf (headers: IncomingHttpHeaders): number | undefined {
  const version = versionOf(headers)
  return dialects.has(version) ? version : undefined
}

/** The dialect of a request: without a version, or with an unknown one, the newest. */
export function dialectOf (headers: IncomingHttpHeaders): Dialect {
  return dialects.get(versionOf(headers)) ?? current
}

/** Whether a request completes its upload; `undefined` without the field of its dialect. */
export function completenessOf (headers: IncomingHttpHeaders): boolean | undefined {
  const { completeness } = dialectOf(headers)
  const value = parseBoolean(headers[completeness])
  return completeness === 'upload-incomplete' && value !== undefined ? !value : value
}

/** The fields of a response that say whether the upload is complete. */
export function completenessFields ({ completeness }: Dialect, isComplete: boolean): Record<string, string> {
  const fields: Record<string, string> = { 'upload-complete': formatBoolean(isComplete) }
  if (completeness === 'upload-incomplete') fields[completeness] = formatBoolean(!isComplete)
  return fields
}
