import type { FastifyRequest } from 'fastify'
import type { Upload } from '../types.ts'
import type { Context } from './context.ts'
import type { HeldLock } from './locking/upload-locks.ts'

/**
 * Deletes an upload that was refused. A failed deletion is only logged: the response reports the refusal. After the
 * lock was lost the upload remains, because another process may be appending to it.
 */
export async function discard (
  context: Context, request: FastifyRequest | null, upload: Upload, lock: HeldLock
): Promise<void> {
  if (lock.isLost) return
  try {
    await context.store.remove(upload.id)
  } catch (err) {
    context.log.error({ err, uploadId: upload.id }, 'refused upload not deleted')
  }
  context.events.publish('discarded', { upload, request })
}
