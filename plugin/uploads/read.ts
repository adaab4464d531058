import { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import type { Upload } from '../types.ts'
import type { Context } from './context.ts'
import { findUpload } from './find.ts'
import { authorize } from './hooks.ts'
import { referenceTo } from './state.ts'

/** An upload to be read. Its lock is not taken, so that a reader displaces no writer. */
export async function findReadable (context: Context, request: FastifyRequest, id: string): Promise<Upload> {
  const upload = await findUpload(context, { id })
  await authorize(context.settings, request, { action: 'read', upload })
  return upload
}

/** The first and the last byte, both included. */
interface ByteRange {
  start: number
  end: number
}

/** Ranges up to this size are read into one buffer and sent without a stream, in bytes: what a stalled reader keeps. */
const BUFFERED_BYTES = 64 * 1024

/**
 * The bytes of a range, or all of them.
 * @throws FST_TUS_NOT_FOUND, FST_TUS_GONE if the upload was deleted in the meantime
 */
export async function readUpload (
  context: Context, upload: Upload, range: ByteRange | undefined
): Promise<Buffer | Readable> {
  if (range !== undefined && range.end - range.start < BUFFERED_BYTES) return await readBytes(context, upload, range)
  return await readSameUpload(context, upload, async () => await context.store.read(upload.id, range))
}

/**
 * The bytes of a range, in one buffer.
 * @throws FST_TUS_NOT_FOUND, FST_TUS_GONE if the upload was deleted in the meantime
 */
export async function readBytes (context: Context, upload: Upload, range: ByteRange): Promise<Buffer> {
  return await readSameUpload(context, upload, async () => await context.store.readBytes(upload.id, range))
}

/**
 * The store reads by id, and an id of `namingFunction` may be used again: the record is then read again after the bytes
 * are open. If the upload was deleted in the meantime, the error says so.
 */
async function readSameUpload<T extends Buffer | Readable> (
  context: Context, upload: Upload, read: () => Promise<T>
): Promise<T> {
  const [bytes] = await Promise.allSettled([read()])
  const isReusable = context.settings.namingFunction !== undefined
  if (bytes.status === 'fulfilled' && !isReusable) return bytes.value
  try {
    await findUpload(context, referenceTo(upload))
  } catch (error) {
    if (bytes.status === 'fulfilled' && bytes.value instanceof Readable) bytes.value.destroy()
    throw error
  }
  if (bytes.status === 'rejected') throw bytes.reason
  return bytes.value
}
