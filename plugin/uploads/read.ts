import type { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import type { Upload } from '../types.ts'
import type { Context } from './context.ts'
import { findUpload } from './find.ts'
import { authorize } from './hooks.ts'

/** An upload to be read. Its lock is not taken: a reader disturbs nobody. */
export async function findReadable (context: Context, request: FastifyRequest, id: string): Promise<Upload> {
  const upload = await findUpload(context, id)
  await authorize(context.settings, request, { action: 'read', upload })
  return upload
}

/** Ranges up to this size are read into one buffer and sent without a stream, in bytes. */
const BUFFERED_BYTES = 256 * 1024

/**
 * The bytes of a range, or all of them.
 * @throws FST_TUS_NOT_FOUND, FST_TUS_GONE if the upload was deleted in the meantime
 */
export async function readUpload (
  context: Context, id: string, range: { start: number, end: number } | undefined
): Promise<Buffer | Readable> {
  const isSmall = range !== undefined && range.end - range.start < BUFFERED_BYTES
  try {
    return isSmall ? await context.store.readBytes(id, range) : await context.store.read(id, range)
  } catch (error) {
    await findUpload(context, id)
    throw error
  }
}
