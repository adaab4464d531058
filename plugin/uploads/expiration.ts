import type { Upload } from '../types.ts'
import type { Scope } from './context.ts'
import { isPartial, isPendingFinal, isWhole } from './state.ts'

/** When an upload that is unfinished, or a part of one, expires, in ms since the epoch; `undefined` for never. */
export function expiresAt ({ settings }: Scope, upload: Upload): number | undefined {
  const { expiration } = settings
  const isWanted = isWhole(upload) && !isPartial(upload) && upload.refused !== true
  // One that waits for its parts lives as long as one of them.
  if (expiration === undefined || isWanted || isPendingFinal(upload)) return undefined
  const created = Date.parse(upload.creation_date ?? '')
  const since = expiration.sliding ? upload.modified ?? created : created
  return Number.isNaN(since) ? undefined : since + expiration.period
}

/** Only what is unfinished expires; a part of an upload is, until it was used. */
export function isExpired (scope: Scope, upload: Upload, now: number): boolean {
  const at = expiresAt(scope, upload)
  return at !== undefined && now > at
}
