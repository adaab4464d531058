import type { FastifyRequest } from 'fastify'
import { errors } from '../errors.ts'
import type { Upload, UploadReference } from '../types.ts'
import { retryFinishHook } from './completion.ts'
import type { Context } from './context.ts'
import { create, type Outcome } from './create.ts'
import { findIfExists, findUpload } from './find.ts'
import { authorize } from './hooks.ts'
import { checkLength, maxSizeFor } from './limits/max-size.ts'
import { draftUpload, type NewUpload } from './new-upload.ts'
import { isComplete, isPartial, isReferenceTo, isWaiting, partsOf, referenceTo } from './state.ts'

/** How many final uploads may wait for one part. */
const MAX_WAITING = 1000

export interface Concatenation extends Omit<NewUpload, 'size' | 'complete' | 'concatenation'> {
  /** The ids of the parts, in order; an id may occur several times. */
  ids: string[]
  /** `Upload-Concat` exactly as the client sent it. */
  header: string
  /** Whether parts may be unfinished. */
  allowsUnfinished: boolean
}

/**
 * Creates a final upload from partial ones. If all of these are complete, so is the final upload; otherwise it waits
 * for the last of them. A creation that is refused leaves nothing behind.
 */
export async function createFinalUpload (
  context: Context, request: FastifyRequest, { ids, header, allowsUnfinished, ...wanted }: Concatenation
): Promise<Outcome> {
  const { settings } = context
  const concatenation = { header, parts: ids.map((id) => ({ id })) }
  const draft = await draftUpload(settings, request, { ...wanted, size: undefined, complete: false, concatenation })
  const found = await findParts(context, request, ids)
  const parts = ids.map((id) => found.get(id) as Upload)
  if (!allowsUnfinished && !parts.every(isComplete)) throw new errors.InvalidParts('a part is unfinished')
  const size = parts.reduce((sum, part) => sum + sizeOf(part), 0)
  checkLength(size, await maxSizeFor(settings, request, draft.metadata))
  const final = { ...draft, size, concatenation: { header, parts: parts.map(referenceTo) } }

  return await create(context, request, final, {
    fill: async (created) => {
      if (!parts.every(isComplete)) {
        await waitForParts(context, request, created)
        return created
      }
      const complete = await join(context, created)
      if (complete === undefined) throw new errors.Locked()
      return complete
    },
    remains: () => false
  })
}

/** Names a final upload in the records of its parts, and completes it in the background if the last one was faster. */
async function waitForParts (context: Context, request: FastifyRequest, final: Upload): Promise<void> {
  const reference = referenceTo(final)
  for (const part of distinct(partsOf(final))) {
    await context.locks.hold(part.id, async (lock) => {
      const upload = await findPart(context, part)
      if (upload?.concatenation === undefined) throw new errors.InvalidParts('a part was deleted')
      const { waiting = [] } = upload.concatenation
      if (waiting.length >= MAX_WAITING) throw new errors.InvalidParts(`${MAX_WAITING} uploads wait for a part`)
      lock.assertHeld()
      const concatenation = { ...upload.concatenation, waiting: [...waiting, reference] }
      await context.store.update(upload, { concatenation })
    })
  }
  completeInBackground(context, request, [reference])
}

/** Completes the final uploads that wait for a part as soon as it is complete. */
export function completeWaitingFinals (context: Context): void {
  context.events.on('completed', ({ upload, request }) => {
    const { waiting = [] } = upload.concatenation ?? {}
    if (waiting.length > 0) completeInBackground(context, request, waiting)
  })
}

/** One after the other: each of them locks the same part. */
function completeInBackground (
  context: Context, request: FastifyRequest | null, references: UploadReference[]
): void {
  context.background.run(async () => {
    for (const reference of references) {
      await completeFinalUpload(context, request, reference).catch((err: unknown) => {
        context.log.error({ err, uploadId: reference.id }, 'final upload not completed')
      })
    }
  })
}

/** Completes a final upload that waits, if all of its parts are complete by now. */
async function completeFinalUpload (
  context: Context, request: FastifyRequest | null, reference: UploadReference
): Promise<void> {
  await context.locks.hold(reference.id, async (lock) => {
    const final = await findIfExists(context, reference.id)
    if (final === undefined || !isReferenceTo(reference, final)) return
    await retryFinishHook(context, request, await completeIfPossible(context, request, final), lock)
  })
}

/** Gives a final upload that waits its bytes, if all of its parts are complete by now. Called while it is locked. */
export async function completeIfPossible (
  context: Context, request: FastifyRequest | null, upload: Upload
): Promise<Upload> {
  // What the end of the app would interrupt is done after the next start.
  const isPossible = isWaiting(upload) && !context.shutdown.aborted && await hasCompleteParts(context, upload)
  // If a part was deleted in between, the upload goes on waiting.
  const complete = isPossible ? await join(context, upload) : undefined
  if (complete === undefined) return upload
  context.events.publish('completed', { upload: complete, request })
  return complete
}

async function hasCompleteParts (context: Context, final: Upload): Promise<boolean> {
  for (const reference of distinct(partsOf(final))) {
    const part = await findPart(context, reference).catch(() => undefined)
    if (part === undefined || !isComplete(part)) return false
  }
  return true
}

/**
 * Concatenates the parts while they are locked, so that they cannot change.
 * @returns `undefined` if a part is missing or not complete
 */
async function join (context: Context, final: Upload): Promise<Upload | undefined> {
  const references = partsOf(final)
  return await context.locks.holdAll(references.map(({ id }) => id), async () => {
    const parts = new Map<string, Upload>()
    for (const reference of distinct(references)) {
      const part = await findPart(context, reference)
      if (part === undefined || !isComplete(part)) return undefined
      parts.set(part.id, part)
    }
    const inOrder = references.map(({ id }) => parts.get(id) as Upload)
    const complete = await context.store.concatenate(final, inOrder, context.shutdown)
    // Its finish hook is due, also if the store does not record that.
    return { ...complete, finished: false }
  })
}

/** The part that a reference means; `undefined` if it does not exist any more. */
async function findPart (context: Context, reference: UploadReference): Promise<Upload | undefined> {
  const part = await findIfExists(context, reference.id)
  return part !== undefined && isReferenceTo(reference, part) ? part : undefined
}

async function findParts (context: Context, request: FastifyRequest, ids: string[]): Promise<Map<string, Upload>> {
  const parts = new Map<string, Upload>()
  for (const id of new Set(ids)) {
    const part = await findUpload(context, id).catch((error: unknown) => {
      if (error instanceof errors.NotFound || error instanceof errors.Gone) return undefined
      throw error
    })
    if (part !== undefined) await authorize(context.settings, request, { action: 'concatenate', upload: part })
    if (part === undefined || !isPartial(part)) {
      throw new errors.InvalidParts('only partial uploads can be concatenated')
    }
    parts.set(id, part)
  }
  return parts
}

function sizeOf ({ size }: Upload): number {
  if (size === undefined) throw new errors.InvalidParts('a part has no length yet')
  return size
}

function distinct (references: UploadReference[]): UploadReference[] {
  return [...new Map(references.map((reference) => [reference.id, reference])).values()]
}
