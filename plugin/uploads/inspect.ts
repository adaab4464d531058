import type { FastifyRequest } from 'fastify'
import { errors } from '../errors.ts'
import type { Upload } from '../types.ts'
import { retryFinishHook } from './completion.ts'
import type { Context } from './context.ts'
import { authorizeExisting, findUpload } from './find.ts'
import { isComplete } from './state.ts'
import { settleFinal } from './concatenation/waiting-finals.ts'

/**
 * The state of an upload. A body under way is ended first, so that the next append may start at the returned offset.
 */
export async function inspectUpload (context: Context, request: FastifyRequest, id: string): Promise<Upload> {
  const reference = await authorizeExisting(context, request, 'inspect', id)
  return await context.locks.hold(id, async (lock) => {
    const upload = await settleFinal(context, request, await findUpload(context, reference), lock)
    if (upload === undefined) throw new errors.Gone()
    await retryFinishHook(context, request, upload, lock)
    // A process that died may not have synced; a complete upload was synced before its hook.
    if (!isComplete(upload)) await context.store.sync(upload)
    return upload
  })
}
