import type { Settings } from '../../settings.ts'
import type { Upload } from '../../types.ts'
import { expiresAt } from '../../uploads/expiration/expiration.ts'
import type { Dialect } from './dialects.ts'
import { formatIntegers } from './fields.ts'

/**
 * `Upload-Limit` (section 4.1.4). A maximum size that depends on the request is in it only if the client exceeds it.
 * @param upload - without one, the limits of a new upload
 * @param maxSize - in bytes
 */
export function formatLimits (
  settings: Settings, { lifetime }: Dialect, upload?: Upload, maxSize: unknown = settings.maxSize
): string {
  const { expiration } = settings
  const limits: Record<string, number> = {}
  if (typeof maxSize === 'number' && maxSize !== Infinity) limits['max-size'] = maxSize
  const ends = upload === undefined ? Date.now() + (expiration?.period ?? Infinity) : expiresAt(settings, upload)
  if (lifetime !== undefined && ends !== undefined && ends !== Infinity) {
    limits[lifetime] = Math.max(Math.floor((ends - Date.now()) / 1000), 0)
  }
  // Without limits, this one says that the resource creates uploads.
  return formatIntegers(Object.keys(limits).length === 0 ? { 'min-size': 0 } : limits)
}
