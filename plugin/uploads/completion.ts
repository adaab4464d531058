import { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import { errors } from '../errors.ts'
import type { FinishResponse, Upload } from '../types.ts'
import { judgeWhole } from './body/allowed-types.ts'
import { discard } from './discard.ts'
import { callHook } from './hooks.ts'
import type { Scope } from './context.ts'
import { isPartial, isWhole } from './state.ts'

/**
 * Does what is due once the last byte of an upload is stored; nothing for one that is not whole or was finished before.
 * The mark comes after the hook: a crash between the two repeats the hook rather than leaving it out.
 * @throws the hook's error; with a 4xx status it is the hook's last word, otherwise the hook stays due
 */
export async function finishUpload (
  scope: Scope, request: FastifyRequest | null, upload: Upload
): Promise<FinishResponse | undefined> {
  if (!isWhole(upload) || upload.finished === true) return undefined
  if (wasToldOf(scope, upload)) return await markAgain(scope, upload)
  // The process that stored the last byte may have been killed before it flushed.
  await scope.store.flush(upload)
  scope.unfinished.delete(upload.id)
  await judgeWhole(scope, upload)
  let response: void | FinishResponse
  try {
    // A part is nothing that the app waits for. What the hook does to its copy changes no answer.
    response = await callHook(() => isPartial(upload)
      ? undefined
      : scope.settings.onUploadFinish?.(request, { ...upload }))
  } catch (error) {
    if (isLastWord(error)) await mark(scope, { ...upload, refused: true })
    throw error
  }
  endStream(response?.body)
  await mark(scope, upload)
  scope.log.debug({ uploadId: upload.id, size: upload.size }, 'upload finished')
  return response ?? undefined
}

/** A stream is no body that a hook may give. One that failed while nobody listens would end the process. */
function endStream (body: unknown): void {
  if (body instanceof Readable) body.on('error', () => {}).destroy()
}

/** The app has the upload by now: whatever becomes of the mark, the client's answer is that of the hook. */
async function mark (scope: Scope, upload: Upload): Promise<void> {
  try {
    await scope.store.markFinished(upload)
    scope.unmarked.delete(upload.id)
  } catch (err) {
    scope.unmarked.set(upload.id, upload)
    scope.log.error({ err, uploadId: upload.id }, 'the upload is finished, but that was not recorded')
  }
}

/** Whether nothing is due but the mark. An app may delete an upload and make another of the same id. */
function wasToldOf (scope: Scope, upload: Upload): boolean {
  const told = scope.unmarked.get(upload.id)
  return told !== undefined && told.creation_date === upload.creation_date
}

/** @throws FST_TUS_GONE where the hook had refused it */
async function markAgain (scope: Scope, upload: Upload): Promise<undefined> {
  const told = scope.unmarked.get(upload.id) as Upload
  await mark(scope, told)
  if (told.refused === true) throw new errors.Gone()
}

/**
 * Makes up for a finish hook that a crash or a failure prevented, when somebody asks for the upload.
 * @throws FST_TUS_FINISH_DUE where the hook fails again
 * @throws FST_TUS_GONE where it refuses the upload
 */
export async function makeUpForFinish (scope: Scope, request: FastifyRequest | null, upload: Upload): Promise<void> {
  // Only a store that remembers says `false`.
  if (upload.finished !== false) return
  try {
    await finishUpload(scope, request, upload)
  } catch (cause) {
    scope.log.warn({ err: cause, uploadId: upload.id }, 'onUploadFinish failed')
    if (cause instanceof errors.TypeRefused) await discard(scope, upload.id)
    if (isLastWord(cause)) throw new errors.Gone({ cause })
    throw new errors.FinishDue({ cause })
  }
}

function isLastWord (error: unknown): boolean {
  return (error as { statusCode: number }).statusCode < 500
}
