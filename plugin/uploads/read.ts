import type { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import type { Upload } from '../types.ts'
import { findUpload } from './find.ts'
import { authorize } from './hooks.ts'
import type { Scope } from './context.ts'
import { isWhole } from './state.ts'

/** An upload that is to be read. Its lock is not taken: nobody is disturbed. */
export async function findReadable (scope: Scope, request: FastifyRequest, id: string): Promise<Upload> {
  const upload = await findUpload(scope, id)
  await authorize(scope, request, { action: 'read', upload })
  return upload
}

/** Whether nothing changes it any more: its bytes are there, and the app has seen them. */
export function isFinished (upload: Upload): boolean {
  return isWhole(upload) && upload.finished !== false
}

/** Up to how many bytes a range is read at once, and sent without a stream. */
const AT_ONCE_BYTES = 256 * 1024

/**
 * The bytes of a range, or all.
 * @throws FST_TUS_NOT_FOUND, FST_TUS_GONE where the upload was deleted since it was looked at
 */
export async function readUpload (
  scope: Scope, id: string, range: { start: number, end: number } | undefined
): Promise<Buffer | Readable> {
  const isSmall = range !== undefined && range.end - range.start < AT_ONCE_BYTES
  try {
    return isSmall ? await scope.store.readBytes(id, range) : await scope.store.read(id, range)
  } catch (error) {
    await findUpload(scope, id)
    throw error
  }
}
