import contentDisposition from 'content-disposition'
import type { FastifyReply } from 'fastify'
import { essenceOf } from '../media-types.ts'
import type { DownloadSettings } from '../settings.ts'
import type { Upload, UploadMetadata } from '../types.ts'
import type { Scope } from '../uploads/context.ts'

/** How long a name may be, in bytes of UTF-8: what file systems take. A longer header would not pass proxies either. */
const MAX_NAME_BYTES = 255

/** What would break a line, or show a name as another one: controls, marks of direction, halves of characters. */
const unprintable = /[\p{Cc}\p{Cs}\u2028-\u202e\u2066-\u2069]/gu

/**
 * What a stored file is called and what it is, by the words of the client: `filename` or `name`, and `filetype` or
 * `type` or `contentType`. A name is encoded, so that it is one whatever it holds (RFC 6266); a type is used if it is
 * one.
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

/** The headers that say what a download is, and keep a browser from running it (Fetch, HTML, CSP 3). */
export function sendDescription (scope: Scope, reply: FastifyReply, { metadata }: Upload): void {
  const settings = scope.settings.download as DownloadSettings
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

/** The last segment of a path, of a length that is usable, its extension kept; `undefined` where nothing is left. */
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
