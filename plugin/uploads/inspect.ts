import type { FastifyRequest } from 'fastify'
import type { Upload } from '../types.ts'
import { joinIfPossible } from './concatenation.ts'
import { findUpload } from './find.ts'
import { makeUpForFinish } from './completion.ts'
import { authorizeExisting } from './hooks.ts'
import { withLock } from './lock.ts'
import type { Scope } from './context.ts'
import { isWhole } from './state.ts'

/** How an upload stands. A body on its way to it is ended first: the next append may start at the offset told. */
export async function inspectUpload (scope: Scope, request: FastifyRequest, id: string): Promise<Upload> {
  await authorizeExisting(scope, request, 'inspect', id)
  return await withLock(scope, id, async () => {
    const upload = await joinIfPossible(scope, await findUpload(scope, id))
    await makeUpForFinish(scope, request, upload)
    // What a killed process left may not be on the disk yet; of a whole upload that was seen to.
    if (!isWhole(upload)) await scope.store.flush(upload)
    return upload
  })
}
