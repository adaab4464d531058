import type { FastifyRequest } from 'fastify'
import type { Upload } from '../types.ts'
import { findUpload } from './find.ts'
import { authorize } from './hooks.ts'
import type { Scope } from './scope.ts'
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
