import type { Settings } from '../../settings.ts'
import type { Upload } from '../../types.ts'
import { isComplete, isPartial, isWaiting } from '../state.ts'

/** When an incomplete upload or a part expires, in ms since the epoch; `undefined`: never. */
export function expiresAt ({ expiration }: Settings, upload: Upload): number | undefined {
  const isKept = isComplete(upload) && !isPartial(upload) && upload.refused !== true
  // A final upload that waits lives as long as one of its parts.
  if (expiration === undefined || isKept || isWaiting(upload)) return undefined
  const created = Date.parse(upload.creation_date ?? '')
  const since = expiration.sliding ? upload.modified ?? created : created
  return Number.isNaN(since) ? undefined : since + expiration.period
}

export function isExpired (settings: Settings, upload: Upload, now = Date.now()): boolean {
  const at = expiresAt(settings, upload)
  return at !== undefined && now > at
}
