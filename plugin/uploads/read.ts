import type { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import { errors } from '../errors.ts'
import type { Upload } from '../types.ts'
import { findUpload, isWhole } from './find.ts'
import { authorizeExisting } from './hooks.ts'
import type { Scope } from './scope.ts'

/** A finished upload and its bytes. Nothing changes it any more, so no lock is needed. */
export async function readUpload (
  scope: Scope, request: FastifyRequest, id: string
): Promise<{ upload: Upload, bytes: Readable }> {
  await authorizeExisting(scope, request, 'read', id)
  const upload = await findUpload(scope, id)
  if (upload.refused === true) throw new errors.NotFound()
  // What the app has not seen yet, nobody sees.
  if (!isWhole(upload) || upload.finished === false) throw new errors.NotFinished()
  return { upload, bytes: await scope.store.read(id) }
}
