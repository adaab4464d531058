import contentDisposition from 'content-disposition'
import type { UploadMetadata } from '../types.ts'

/** What a browser may show in the page's own origin without running anything in it. */
const inlineTypes = new Set([
  'image/apng', 'image/avif', 'image/bmp', 'image/gif', 'image/jpeg', 'image/png', 'image/webp',
  'audio/aac', 'audio/flac', 'audio/mp4', 'audio/mpeg', 'audio/ogg', 'audio/wav', 'audio/webm',
  'video/mp4', 'video/mpeg', 'video/ogg', 'video/quicktime', 'video/webm', 'video/x-matroska',
  'text/plain'
])

/** `type/subtype` in the characters of a token (RFC 9110, 8.3.1). */
const mediaType = /^[!#$%&'*+.^_`|~0-9a-z-]+\/[!#$%&'*+.^_`|~0-9a-z-]+$/

/**
 * What a stored file is called and what it is, by the words of the client: `filename` or `name`, and `filetype` or
 * `type` or `contentType`. A name is encoded, so that it is one whatever it holds (RFC 6266); a type is used if it is
 * one.
 */
export function describe (metadata: UploadMetadata = {}): { type: string, disposition: string } {
  const name = metadata['filename'] ?? metadata['name'] ?? undefined
  const claimed = metadata['filetype'] ?? metadata['type'] ?? metadata['contentType'] ?? ''
  const essence = claimed.replace(/;.*/s, '').trim().toLowerCase()
  const type = mediaType.test(essence) ? essence : 'application/octet-stream'
  return {
    type,
    disposition: contentDisposition(name, { type: inlineTypes.has(type) ? 'inline' : 'attachment' })
  }
}
