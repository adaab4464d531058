import type { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import { errors } from '../errors.ts'
import type { Upload } from '../types.ts'
import { findUpload } from './find.ts'
import { authorizeExisting } from './hooks.ts'
import type { Scope } from './scope.ts'
import { isWhole } from './state.ts'

/** A finished upload and its bytes. Nothing changes it any more, so no lock is needed. */
export async function readUpload (
  scope: Scope, request: FastifyRequest, id: string
): Promise<{ upload: Upload, open: () => Promise<Readable> }> {
  await authorizeExisting(scope, request, 'read', id)
  const upload = await findUpload(scope, id)
  // What the app has not seen yet, nobody sees.
  if (!isWhole(upload) || upload.finished === false) throw new errors.NotFinished()
  return { upload, open: () => scope.store.read(id) }
}
