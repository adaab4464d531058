import type { FastifyRequest } from 'fastify'
import { errors, withState } from '../../errors.ts'
import { storeError } from '../../stores/adapter.ts'
import type { Append, Upload } from '../../types.ts'
import { type Body, type Pumped, pump } from './pump.ts'
import { BodyVerifier } from './checksum.ts'
import { judgeOf } from './allowed-types.ts'
import { freeBuffers } from '../../http/free-buffers.ts'
import { progressOf } from '../progress.ts'
import { asOpenBody } from '../limits/body-quota.ts'
import type { Scope } from '../context.ts'
import { isWhole } from '../state.ts'
import type { Stop } from '../release-signal.ts'

export interface StoreBodyOptions {
  /** The most bytes that the whole upload may have: its length, or `maxSize` while that is not known. */
  maxSize: number
  /** The length of the upload, where this request declares it. */
  declaredSize?: number | undefined
  stop: Stop
}

/** Refuses a body that says beforehand that it is too long. */
export function checkBodyLength (upload: Upload, body: Body | undefined, maxSize: number): void {
  if (body?.length !== undefined && upload.offset + body.length > maxSize) throw tooLong(upload, maxSize)
}

/**
 * Stores a body at the upload's offset.
 * @returns the upload as it is then
 * @throws FST_TUS_BODY_TOO_LONG, FST_TUS_TOO_LARGE or FST_TUS_CHECKSUM_MISMATCH, and none of the body counts
 * @throws FST_TUS_INTERRUPTED, FST_TUS_DISPLACED, FST_TUS_SHUTDOWN or an error of the store, and what arrived counts;
 * not so for a body with a checksum, which cannot be verified then
 */
export async function storeBody (
  scope: Scope, request: FastifyRequest, upload: Upload, body: Body, { maxSize, declaredSize, stop }: StoreBodyOptions
): Promise<Upload> {
  const verifier = new BodyVerifier(body.expected)
  const judge = judgeOf(scope, upload)
  const progress = progressOf(scope, request, upload)
  let append: Append | undefined
  const open = async () => (
    append ??= await scope.store.openAppend(upload, { declaredSize, unverified: verifier.isNeeded })
  )

  const { body: watched, end: endWatch } = scope.slowBodies.watch(() => body.close())
  const pumped = await asOpenBody(scope, request, () => pump(body, {
    limit: maxSize - upload.offset,
    idleTimeout: scope.settings.idleTimeout,
    stop,
    write: async (buffers, bytes, unshared) => {
      watched.holdBack(bytes)
      if (judge !== undefined) await judge(buffers)
      const opened = append ?? await open()
      const written = opened.write(buffers, bytes)
      // Hashed while the system writes.
      verifier.update(buffers)
      await written
      if (unshared && opened.keepsNothing === true) freeBuffers(buffers)
      watched.letGo()
      scope.unfinished.appended(upload)
      progress(bytes)
      scope.followers.changed(upload.id)
    }
  })).finally(endWatch)
  const whole = { ...upload, size: upload.size ?? declaredSize }
  try {
    if (pumped.outcome === 'overrun') throw tooLong(whole, maxSize)
    if (pumped.outcome === 'complete') await verifier.verify(append)
    else if (verifier.isNeeded) throw pumped.error
  } catch (error) {
    const offset = append === undefined ? upload.offset : await append.rollback().catch(() => undefined)
    throw withState(storeError(error), { offset })
  }
  // Without a byte nothing was opened; a length must be recorded all the same.
  if (pumped.outcome === 'complete' && declaredSize !== undefined) await open()
  return await commit(pumped, append, whole)
}

/** @throws what a body that counts as far as it came ended with */
async function commit (
  pumped: Exclude<Pumped, { outcome: 'overrun' }>, append: Append | undefined, upload: Upload
): Promise<Upload> {
  if (pumped.outcome === 'failed') {
    throw withState(storeError(pumped.error), { offset: await append?.commit().catch(() => undefined) })
  }
  const committed = append?.commit().catch((error: unknown) => { throw storeError(error) })
  const offset = await committed
  // A store that does not tell when it was written to goes by the creation.
  const modified = upload.modified && Date.now()
  const stored = offset === undefined ? upload : { ...upload, offset, modified }
  if (pumped.outcome === 'stopped' && !isWhole(stored)) throw withState(pumped.error, { offset: stored.offset })
  return stored
}

function tooLong (upload: Upload, maxSize: number): Error {
  return upload.size === undefined ? new errors.TooLarge(maxSize) : new errors.BodyTooLong()
}
