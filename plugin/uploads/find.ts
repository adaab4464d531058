import { errors } from '../errors.ts'
import type { Upload } from '../types.ts'
import { isExpired } from './expiration.ts'
import type { Scope } from './scope.ts'

/**
 * @throws FST_TUS_NOT_FOUND
 * @throws FST_TUS_GONE where it is expired or damaged
 */
export async function findUpload (scope: Scope, id: string): Promise<Upload> {
  const upload = await scope.store.getUpload(id)
  if (isExpired(scope, upload, Date.now())) throw new errors.Gone()
  return upload
}

/** Whether all bytes are there. */
export function isWhole (upload: Upload): boolean {
  return upload.offset === upload.size
}
