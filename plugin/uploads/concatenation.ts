import type { FastifyRequest } from 'fastify'
import { errors } from '../errors.ts'
import type { FinishResponse, Upload } from '../types.ts'
import { type Draft, draftUpload, reviseDraft } from './new-upload.ts'
import { findUpload } from './find.ts'
import { finishUpload, makeUpForFinish } from './completion.ts'
import { authorize } from './hooks.ts'
import { checkLength, maxSizeFor } from './limits/max-size.ts'
import { discard } from './discard.ts'
import { withFreeLock, withLock } from './lock.ts'
import type { Scope } from './context.ts'
import { isPartial, isPendingFinal, isWhole, partsOf } from './state.ts'
import { counted } from './limits/upload-quota.ts'

/** How many parts a final upload may have. Each is looked at before anything is copied. */
const MAX_PARTS = 1000

interface Made {
  upload: Upload
  finish: FinishResponse | undefined
}

export interface Finalization extends Draft {
  /** What names the parts, in order; one may be there several times. */
  names: string[]
  /** Which ids these stand for. Asked only where there are not too many: it costs more than to count them. */
  idsOf: (names: string[]) => string[]
  /** `Upload-Concat` as it came. */
  header: string
  /** Whether parts may still grow. */
  mayBeUnfinished: boolean
}

/**
 * Makes a final upload out of partial ones. Where all of these are whole it is so at once; otherwise once the last of
 * them is. What is refused leaves nothing behind.
 */
export async function createFinalUpload (
  scope: Scope, request: FastifyRequest, { names, idsOf, header, mayBeUnfinished, ...creation }: Finalization
): Promise<Made> {
  if (names.length > MAX_PARTS) throw new errors.InvalidParts(`has more than ${MAX_PARTS} parts`)
  const ids = idsOf(names)
  const concatenation = { header, parts: ids, joined: false }
  const draft = await draftUpload(scope, request, { ...creation, concatenation })
  const parts = await findParts(scope, request, ids)
  const unfinished = ids.some((id) => !isWhole(parts.get(id) as Upload))
  if (unfinished && !mayBeUnfinished) throw new errors.InvalidParts('has an unfinished part')
  const size = ids.reduce((sum, id) => sum + sizeOf(parts.get(id) as Upload), 0)
  checkLength(size, await maxSizeFor(scope, request, draft.metadata))
  const final = { ...draft, size }
  return await counted(scope, request, draft.id, () => make(scope, request, final, unfinished), () => false)
}

async function make (scope: Scope, request: FastifyRequest, final: Upload, unfinished: boolean): Promise<Made> {
  const wanted = await reviseDraft(scope, request, final)

  const created = await withFreeLock(scope, final.id, async () => {
    const upload = await scope.store.create(wanted)
    if (unfinished) {
      // The last part may have become whole before it was known that this one waits for it.
      scope.finals.watch(upload, request)
      return { upload, finish: undefined }
    }
    try {
      const joined = await join(scope, upload)
      if (joined === undefined) throw new errors.Locked()
      return { upload: joined, finish: await finishUpload(scope, request, joined) }
    } catch (error) {
      await discard(scope, upload.id)
      throw error
    }
  })
  if (created === undefined) throw new errors.Exists()
  return created
}

/** Completes a final upload that waits, if all of its parts are whole by now. */
export async function completeFinalUpload (scope: Scope, request: FastifyRequest | null, id: string): Promise<void> {
  await withLock(scope, id, async () => {
    const upload = await scope.store.getUpload(id).catch(unlessGone)
    if (upload === undefined) scope.finals.delete(id)
    else await makeUpForFinish(scope, request, await joinIfPossible(scope, upload))
  })
}

/** Gives a final upload that waits its bytes, if all of its parts are whole by now; done while it is locked. */
export async function joinIfPossible (scope: Scope, upload: Upload): Promise<Upload> {
  // What the end of the app would cut off is made up for at the next start.
  const isUseful = isPendingFinal(upload) && !scope.shutdown.aborted
  const isDue = isUseful && await hasWholeParts(scope, upload)
  // Where a part was deleted in between, it goes on waiting.
  const joined = (isDue ? await join(scope, upload) : undefined) ?? upload
  // It may have been joined between the look of a sweep at it and now.
  if (!isPendingFinal(joined)) scope.finals.delete(joined.id)
  return joined
}

/** Whether nothing is missing of a final upload but the joining. */
async function hasWholeParts (scope: Scope, upload: Upload): Promise<boolean> {
  for (const id of distinctParts(upload)) {
    const part = await scope.store.getUpload(id).catch(() => undefined)
    if (part === undefined || !isWhole(part)) return false
  }
  return true
}

/**
 * Joins the parts while nobody can change or delete them.
 * @returns `undefined` where somebody was faster, and did
 */
async function join (scope: Scope, upload: Upload): Promise<Upload | undefined> {
  const ids = distinctParts(upload)
  return await withLocks(scope, ids, async () => {
    const parts = new Map<string, Upload>()
    for (const id of ids) {
      const part = await scope.store.getUpload(id).catch(unlessGone)
      if (part !== undefined) parts.set(id, part)
    }
    if (!ids.every((id) => parts.has(id) && isWhole(parts.get(id) as Upload))) return undefined
    const inOrder = partsOf(upload).map((id) => parts.get(id) as Upload)
    const joined = await scope.store.concatenate(upload, inOrder, scope.shutdown)
    // Nobody was told of it yet, also where the store remembers no such thing.
    return { ...joined, finished: false }
  })
}

/** All in the same order everywhere, so that no two requests wait for each other. */
async function withLocks<T> (scope: Scope, [first, ...rest]: string[], work: () => Promise<T>): Promise<T> {
  if (first === undefined) return await work()
  return await withLock(scope, first, async () => await withLocks(scope, rest, work))
}

async function findParts (scope: Scope, request: FastifyRequest, ids: string[]): Promise<Map<string, Upload>> {
  const parts = new Map<string, Upload>()
  for (const id of new Set(ids)) {
    const part = await findUpload(scope, id).catch(unlessGone)
    if (part !== undefined) await authorize(scope, request, { action: 'concatenate', upload: part })
    if (part === undefined || !isPartial(part)) {
      throw new errors.InvalidParts('must be made of partial uploads')
    }
    parts.set(id, part)
  }
  return parts
}

function unlessGone (error: unknown): undefined {
  if (error instanceof errors.NotFound || error instanceof errors.Gone) return undefined
  throw error
}

function sizeOf ({ size }: Upload): number {
  if (size === undefined) throw new errors.InvalidParts('has a part whose length is not known')
  return size
}

function distinctParts (upload: Upload): string[] {
  return [...new Set(partsOf(upload))].sort()
}
