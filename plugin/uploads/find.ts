import { errors } from '../errors.ts'
import type { Upload } from '../types.ts'
import { isExpired } from './expiration.ts'
import type { Scope } from './context.ts'

/**
 * @throws FST_TUS_NOT_FOUND
 * @throws FST_TUS_GONE where it is expired, damaged, or refused by the finish hook
 */
export async function findUpload (scope: Scope, id: string): Promise<Upload> {
  const upload = await scope.store.getUpload(id)
  const expired = isExpired(scope, upload, Date.now()) && !scope.finals.waitFor(id)
  if (expired || upload.refused === true) throw new errors.Gone()
  return upload
}
