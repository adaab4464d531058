import type { FastifyReply } from 'fastify'
import { describe } from '../description.ts'
import type { DownloadSettings } from '../settings.ts'
import type { Upload } from '../types.ts'
import type { Context } from '../uploads/context.ts'

/** Adds the headers that describe a download and keep a browser from running it (Fetch, HTML, CSP 3). */
export function sendDescription (context: Context, reply: FastifyReply, { metadata }: Upload): void {
  const settings = context.settings.download as DownloadSettings
  const { type, disposition } = describe(metadata, settings.isInline)
  reply.headers({
    'content-type': type,
    'content-disposition': disposition,
    'content-security-policy': 'sandbox',
    'x-content-type-options': 'nosniff'
  })
  const { crossOriginResourcePolicy: policy } = settings
  if (policy !== undefined) reply.header('cross-origin-resource-policy', policy)
}
