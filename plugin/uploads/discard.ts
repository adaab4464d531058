import type { Scope } from './context.ts'

/** Deletes an upload that was refused while it was made. What the client must learn is why, and not how this went. */
export async function discard (scope: Scope, id: string): Promise<void> {
  scope.unfinished.delete(id)
  await scope.store.remove(id).catch((err: unknown) => {
    scope.log.error({ err, uploadId: id }, 'a refused upload was not deleted')
  })
}
