import type { Upload } from '../../types.ts'
import type { Context } from '../context.ts'
import { findIfExists } from '../find.ts'
import type { HeldLock } from '../locking/upload-locks.ts'
import { isComplete, partsOf } from '../state.ts'

/**
 * Concatenates the parts while they are locked, so that they cannot change.
 * @param lock - the lock of the final upload
 * @returns `undefined` if a part is missing or not complete
 * @throws FST_TUS_LOCK_LOST
 */
export async function joinParts (context: Context, final: Upload, lock: HeldLock): Promise<Upload | undefined> {
  const references = partsOf(final)
  return await context.locks.holdAll(references.map(({ id }) => id), async (locks) => {
    const parts = new Map<string, Upload>()
    for (const reference of references) {
      if (parts.has(reference.id)) continue
      const part = await findIfExists(context, reference)
      if (part === undefined || !isComplete(part)) return undefined
      parts.set(part.id, part)
    }
    const inOrder = references.map(({ id }) => parts.get(id) as Upload)
    for (const held of [lock, ...locks]) held.assertHeld()
    const complete = await context.store.concatenate(final, inOrder, context.shutdown)
    // Its finish hook is due, also if the store does not record that.
    return { ...complete, finished: false }
  })
}
