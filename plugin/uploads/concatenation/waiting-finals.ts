/**
 * Final uploads that wait for their parts. The records of the parts name them, so that every process completes them,
 * also after a restart.
 */
import type { FastifyRequest } from 'fastify'
import { errors } from '../../errors.ts'
import type { Concatenation, Upload, UploadReference } from '../../types.ts'
import { retryFinishHook } from '../completion.ts'
import type { Context } from '../context.ts'
import { discard } from '../discard.ts'
import { findIfExists, isStillWaiting, type KnownFinals } from '../find.ts'
import type { HeldLock } from '../locking/upload-locks.ts'
import { isComplete, isWaiting, partsOf, referenceTo } from '../state.ts'
import { joinParts } from './join-parts.ts'

/**
 * How many final uploads may wait for one part. A client needs one, or two if the first response was lost. Each of them
 * makes the record of the part longer.
 */
const MAX_WAITING = 10

/** Settles the final uploads that wait for a part as soon as the part is complete or deleted. */
export function settleWaitingFinals (context: Context): void {
  for (const name of ['completed', 'terminated', 'expired', 'discarded'] as const) {
    context.events.on(name, ({ upload, request }) => {
      const { waiting = [] } = upload.concatenation ?? {}
      // A deleted part decides at once. After a complete one, the part that was incomplete before is checked first.
      const firstPart = name === 'completed' ? undefined : upload.id
      if (waiting.length > 0) settleInBackground(context, request, waiting, firstPart)
    })
  }
}

/** Names a final upload in the records of its parts. The last part may be complete by then. */
export async function waitForParts (context: Context, request: FastifyRequest, final: Upload): Promise<void> {
  const reference = referenceTo(final)
  const known: KnownFinals = new Map()
  for (const partReference of distinctPartsOf(final)) {
    await context.locks.hold(partReference.id, async (lock) => {
      const part = await findIfExists(context, partReference)
      if (part?.concatenation === undefined) throw new errors.InvalidParts('a part was deleted')
      const waiting = await stillWaiting(context, part, known)
      if (waiting.length >= MAX_WAITING) throw new errors.InvalidParts(`${MAX_WAITING} uploads already wait for a part`)
      lock.assertHeld()
      await context.store.update(part, { concatenation: { ...part.concatenation, waiting: [...waiting, reference] } })
    })
  }
  settleInBackground(context, request, [reference])
}

/**
 * Concatenates the parts of a final upload if all of them are complete by now. If a part was deleted, the final upload
 * can never be complete, and is deleted. Called while the upload is locked; does nothing if the upload does not wait.
 * @returns the upload afterwards; `undefined` if it was deleted
 */
export async function settleFinal (
  context: Context, request: FastifyRequest | null, upload: Upload, lock: HeldLock, firstPart?: string
): Promise<Upload | undefined> {
  // During shutdown nothing is started; the next start completes it.
  if (!isWaiting(upload) || context.shutdown.aborted) return upload
  let state = await stateOfParts(context, upload, firstPart)
  if (state === 'complete') {
    const complete = await joinParts(context, upload, lock)
    if (complete !== undefined) {
      context.events.publish('completed', { upload: complete, request })
      return complete
    }
    // A part has changed before it was locked.
    state = await stateOfParts(context, upload, firstPart)
  }
  if (state !== 'deleted') return upload
  await discard(context, request, upload, lock)
  return undefined
}

/**
 * Whether a final upload that waits can be completed now, later, or never because a part was deleted.
 * @param firstPart - the id of the part to check first
 */
export async function stateOfParts (
  context: Context, final: Upload, firstPart?: string
): Promise<'complete' | 'open' | 'deleted'> {
  const { firstParts } = context
  const first = firstPart ?? firstParts.get(final.id)
  firstParts.set(final.id, undefined)
  const parts = distinctPartsOf(final).sort((a, b) => Number(b.id === first) - Number(a.id === first))
  for (const reference of parts) {
    const part = await findIfExists(context, reference)
    if (part === undefined) return 'deleted'
    if (isComplete(part)) continue
    firstParts.set(final.id, part.id)
    return 'open'
  }
  return 'complete'
}

/** One after the other: each of them locks the same part. */
function settleInBackground (
  context: Context, request: FastifyRequest | null, references: UploadReference[], firstPart?: string
): void {
  context.background.run(async () => {
    for (const reference of references) {
      await settleByReference(context, request, reference, firstPart).catch((err: unknown) => {
        // The refusal of the finish hook is published.
        if (err instanceof errors.Gone) return
        context.log.error({ err, uploadId: reference.id }, 'final upload not completed')
      })
    }
  })
}

async function settleByReference (
  context: Context, request: FastifyRequest | null, reference: UploadReference, firstPart: string | undefined
): Promise<void> {
  await context.locks.hold(reference.id, async (lock) => {
    const final = await findIfExists(context, reference)
    const settled = final && await settleFinal(context, request, final, lock, firstPart)
    if (settled !== undefined) await retryFinishHook(context, request, settled, lock)
  })
}

/**
 * The final uploads that a part names. Only a full list is freed from those that are complete or deleted by now: their
 * records may be long, and a final upload may have 1000 parts.
 */
async function stillWaiting (context: Context, part: Upload, known: KnownFinals): Promise<UploadReference[]> {
  const { waiting = [] } = part.concatenation as Concatenation
  if (waiting.length < MAX_WAITING) return waiting
  const still = []
  for (const reference of waiting) {
    if (await isStillWaiting(context, reference, known)) still.push(reference)
  }
  return still
}

function distinctPartsOf (final: Upload): UploadReference[] {
  return [...new Map(partsOf(final).map((reference) => [reference.id, reference])).values()]
}
