import contentDisposition from 'content-disposition'
import type { FastifyReply } from 'fastify'
import { essenceOf } from '../media-types.ts'
import type { DownloadSettings } from '../settings.ts'
import type { Upload, UploadMetadata } from '../types.ts'
import type { Context } from '../uploads/context.ts'

/**
 * The maximum length of a file name, in bytes of UTF-8: the limit of file systems. Proxies refuse long headers, too.
 */
const MAX_NAME_BYTES = 255

/** Characters that break a line or disguise a name: controls, direction marks, lone surrogates. */
const unprintable = /[\p{Cc}\p{Cs}\u2028-\u202e\u2066-\u2069]/gu

/**
 * The name and the type of a stored file, from the metadata of the client: `filename` or `name`, and `filetype`, `type`
 * or `contentType`. The name is encoded (RFC 6266); a type that is not valid is ignored.
 */
export function describe (
  metadata: UploadMetadata = {}, { isInline }: DownloadSettings
): { type: string, disposition: string } {
  const name = metadata['filename'] ?? metadata['name'] ?? ''
  const type = essenceOf(metadata['filetype'] ?? metadata['type'] ?? metadata['contentType'] ?? '') ??
    'application/octet-stream'
  return {
    type,
    disposition: contentDisposition(fileName(name), { type: isInline(type) ? 'inline' : 'attachment' })
  }
}

/** Adds what a download is, and keeps a browser from running it (Fetch, HTML, CSP 3). */
export function sendDescription (context: Context, reply: FastifyReply, { metadata }: Upload): void {
  const settings = context.settings.download as DownloadSettings
  const { type, disposition } = describe(metadata, settings)
  reply.headers({
    'content-type': type,
    'content-disposition': disposition,
    'content-security-policy': 'sandbox',
    'x-content-type-options': 'nosniff'
  })
  const { crossOriginResourcePolicy: policy } = settings
  if (policy !== undefined) reply.header('cross-origin-resource-policy', policy)
}

/** The last segment of a path, shortened but with its extension; `undefined` if nothing is left. */
function fileName (path: string): string | undefined {
  const name = path.replace(/[\\/]+$/, '').replace(/^.*[\\/]/s, '').replace(unprintable, '_')
  if (Buffer.byteLength(name) <= MAX_NAME_BYTES) return name === '' ? undefined : name
  const [extension = ''] = /\.[^.]{1,20}$/u.exec(name) ?? []
  let kept = ''
  let bytes = Buffer.byteLength(extension)
  for (const character of name) {
    bytes += Buffer.byteLength(character)
    if (bytes > MAX_NAME_BYTES) break
    kept += character
  }
  return kept + extension
}
