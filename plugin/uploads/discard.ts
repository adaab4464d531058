import type { FastifyRequest } from 'fastify'
import type { Upload } from '../types.ts'
import type { Context } from './context.ts'

/** Deletes an upload that was refused. The client must learn why, not how the deletion went. */
export async function discard (context: Context, request: FastifyRequest | null, upload: Upload): Promise<void> {
  try {
    await context.store.remove(upload.id)
  } catch (err) {
    context.log.error({ err, uploadId: upload.id }, 'refused upload not deleted')
  }
  context.events.publish('discarded', { upload, request })
}
