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
  return upload.offset === upload.size && !isPendingFinal(upload)
}

/** Whether it is one that others are made of. */
export function isPartial ({ concatenation }: Upload): boolean {
  return concatenation !== undefined && concatenation.parts === undefined
}

/** Whether it is made of others. */
export function isFinal ({ concatenation }: Upload): boolean {
  return concatenation?.parts !== undefined
}

/** The ids of what it is made of, in order. */
export function partsOf ({ concatenation }: Upload): string[] {
  return concatenation?.parts ?? []
}

/** Whether it is made of others and does not have their bytes yet. */
export function isPendingFinal (upload: Upload): boolean {
  return isFinal(upload) && upload.concatenation?.joined !== true
}
