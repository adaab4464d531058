import { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import { errors } from '../errors.ts'
import type { FinishResponse, Upload, UploadChanges } from '../types.ts'
import { checkWholeType } from './body/allowed-types.ts'
import type { Context } from './context.ts'
import { discard } from './discard.ts'
import { callHook } from './hooks.ts'
import type { HeldLock } from './locking/upload-locks.ts'
import { isComplete, isPartial } from './state.ts'

/**
 * Processes an upload once its last byte is stored: calls the finish hook and records that it ran. Does nothing for an
 * upload that is not complete, or was processed before. The record comes after the hook: a crash between the two
 * repeats the hook rather than skipping it.
 * @throws the error of the hook; with a 4xx status the upload is refused, otherwise the hook is called again later
 */
export async function processUpload (
  context: Context, request: FastifyRequest | null, upload: Upload, lock: HeldLock
): Promise<FinishResponse | undefined> {
  if (!isComplete(upload) || upload.finished === true) return undefined
  // The process that stored the last byte may have died before it synced.
  await context.store.sync(upload)
  await checkWholeType(context, upload)
  lock.assertHeld()
  let response: void | FinishResponse
  try {
    // The app waits for final uploads, not for their parts. The hook gets a copy: its changes must not reach the
    // client.
    response = await callHook(() => isPartial(upload)
      ? undefined
      : context.settings.onUploadFinish?.(request, { ...upload }))
  } catch (error) {
    if (isRefusal(error)) {
      await record(context, upload, { complete: true, finished: true, refused: true }, lock)
      context.events.publish('refused', { upload, request, error: error as Error })
    } else {
      context.events.publish('finishFailed', { upload, request, error: error as Error })
    }
    throw error
  }
  endStream(response?.body)
  await record(context, upload, { complete: true, finished: true }, lock)
  context.events.publish('finished', { upload, request })
  return response ?? undefined
}

/**
 * Calls the finish hook of a complete upload if it has not run yet, for example after a crash.
 * @throws FST_TUS_FINISH_DUE if the hook fails again
 * @throws FST_TUS_GONE if it refuses the upload
 */
export async function retryFinishHook (
  context: Context, request: FastifyRequest | null, upload: Upload, lock: HeldLock
): Promise<void> {
  // Only a store that records finished uploads says `false`.
  if (upload.finished !== false) return
  try {
    await processUpload(context, request, upload, lock)
  } catch (cause) {
    if (cause instanceof errors.LockLost) throw cause
    context.log.warn({ err: cause, uploadId: upload.id }, 'onUploadFinish failed')
    if (cause instanceof errors.TypeRefused) await discard(context, request, upload, lock)
    if (isRefusal(cause)) throw new errors.Gone({ cause })
    throw new errors.FinishDue({ cause })
  }
}

/** The hook has run by now: if recording fails, the client still gets its response. */
async function record (context: Context, upload: Upload, changes: UploadChanges, lock: HeldLock): Promise<void> {
  try {
    lock.assertHeld()
    await context.store.update(upload, changes)
  } catch (err) {
    context.log.error({ err, uploadId: upload.id }, 'finished upload not recorded: its finish hook will run again')
  }
}

/** A hook may not return a stream. A stream that fails without a listener for errors would end the process. */
function endStream (body: unknown): void {
  if (body instanceof Readable) body.on('error', () => {}).destroy()
}

/** Whether the hook has refused the upload for good. */
function isRefusal (error: unknown): boolean {
  return (error as { statusCode: number }).statusCode < 500 && !(error instanceof errors.LockLost)
}
