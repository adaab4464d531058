import type { FastifyReply, FastifyRequest } from 'fastify'
import { errors } from '../../errors.ts'
import type { Extension } from '../../options.ts'
import type { Upload } from '../../types.ts'
import type { Context } from '../../uploads/context.ts'
import { expiresAt } from '../../uploads/expiration.ts'
import { formatUploadExpires } from './headers.ts'

/** What the handlers of one registration share. */
export interface TusContext {
  readonly context: Context
  readonly prefix: string
  readonly extensions: ReadonlySet<Extension>
}

/** Answers one request. `id` is that of the URL; empty on the creation URL. */
export type Handler = (
  tus: TusContext, request: FastifyRequest, reply: FastifyReply, id: string
) => Promise<FastifyReply>

/** @throws FST_TUS_UNSUPPORTED if a request needs an extension that is not offered */
export function needExtension ({ extensions }: TusContext, extension: Extension): void {
  if (!extensions.has(extension)) throw new errors.Unsupported(extension)
}

/** Expiration: adds `Upload-Expires`, if the upload expires. */
export function addExpires ({ context }: TusContext, reply: FastifyReply, upload: Upload): void {
  const at = expiresAt(context.settings, upload)
  if (at !== undefined) reply.header('upload-expires', formatUploadExpires(at))
}
