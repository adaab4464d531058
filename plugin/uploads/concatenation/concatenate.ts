import type { FastifyRequest } from 'fastify'
import { errors } from '../../errors.ts'
import type { Upload } from '../../types.ts'
import type { Context } from '../context.ts'
import { create, type Outcome } from '../create.ts'
import { findUpload, type KnownFinals } from '../find.ts'
import { authorize } from '../hooks.ts'
import { checkLength, maxSizeFor } from '../limits/max-size.ts'
import { draftUpload, type NewUpload } from '../new-upload.ts'
import { isComplete, isPartial, referenceTo } from '../state.ts'
import { joinParts } from './join-parts.ts'
import { waitForParts } from './waiting-finals.ts'

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
    fill: async (created, lock) => {
      if (!parts.every(isComplete)) {
        await waitForParts(context, request, created)
        return created
      }
      const complete = await joinParts(context, created, lock)
      if (complete === undefined) throw new errors.Locked()
      return complete
    },
    remains: () => false
  })
}

async function findParts (context: Context, request: FastifyRequest, ids: string[]): Promise<Map<string, Upload>> {
  const parts = new Map<string, Upload>()
  const known: KnownFinals = new Map()
  for (const id of new Set(ids)) {
    const part = await findUpload(context, { id }, undefined, known).catch((error: unknown) => {
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
