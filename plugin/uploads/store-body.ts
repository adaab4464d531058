import type { FastifyRequest } from 'fastify'
import { errors, withState } from '../errors.ts'
import { storeError } from '../stores/able-store.ts'
import type { Append, Upload } from '../types.ts'
import { type Body, pump } from './body.ts'
import { isWhole } from './find.ts'
import { progressOf } from './progress.ts'
import type { Scope } from './scope.ts'

export interface StoreBodyOptions {
  /** The most bytes that the whole upload may have: its length, or `maxSize` while that is not known. */
  maxSize: number
  /** Whether `upload.size` is new and must be recorded. */
  declaresSize?: boolean
  stop: AbortSignal
}

/** Refuses a body that says beforehand that it is too long. */
export function checkBodyLength (upload: Upload, body: Body | undefined, maxSize: number): void {
  if (body?.length !== undefined && upload.offset + body.length > maxSize) throw tooLong(upload, maxSize)
}

/**
 * Stores a body at the upload's offset.
 * @returns the upload as it is then
 * @throws FST_TUS_BODY_TOO_LONG or FST_TUS_TOO_LARGE, and none of the body counts
 * @throws FST_TUS_INTERRUPTED, FST_TUS_DISPLACED, FST_TUS_SHUTDOWN, or an error of the store, and what arrived counts
 */
export async function storeBody (
  scope: Scope, request: FastifyRequest, upload: Upload, body: Body, { maxSize, declaresSize, stop }: StoreBodyOptions
): Promise<Upload> {
  const { id, offset, size } = upload
  const progress = progressOf(scope, request, upload)
  let append: Append | undefined
  const open = async () => (append ??= await scope.store.openAppend(id, offset, { size, declaresSize }))

  const pumped = await pump(body, {
    limit: maxSize - offset,
    idleTimeout: scope.settings.idleTimeout,
    stop,
    write: async (buffers, bytes) => {
      const opened = append ?? await open()
      await opened.write(buffers, bytes)
      progress(bytes)
    }
  })
  try {
    if (pumped.outcome === 'overrun') {
      await append?.rollback()
      throw tooLong(upload, maxSize)
    }
    if (pumped.outcome === 'failed') {
      const kept = await append?.commit().catch(() => undefined)
      throw withState(storeError(pumped.error), kept === undefined ? {} : { offset: kept })
    }
    // Without a byte nothing was opened; a length must be recorded all the same.
    if (pumped.outcome === 'complete' && declaresSize === true) await open()
    const stored = { ...upload, offset: await append?.commit() ?? offset }
    if (pumped.outcome === 'stopped' && !isWhole(stored)) throw withState(pumped.error, { offset: stored.offset })
    return stored
  } catch (error) {
    throw storeError(error)
  }
}

function tooLong (upload: Upload, maxSize: number): Error {
  return upload.size === undefined ? new errors.TooLarge(maxSize) : new errors.BodyTooLong()
}
