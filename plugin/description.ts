import contentDisposition from 'content-disposition'
import { essenceOf } from './media-types.ts'
import type { UploadMetadata } from './types.ts'

/**
 * The maximum length of a file name, in bytes of UTF-8: the limit of file systems. Proxies also refuse long headers.
 */
const MAX_NAME_BYTES = 255

const OCTET_STREAM = 'application/octet-stream'

/**
 * Characters that break a line or disguise a name: control characters, direction marks, invisible characters and lone
 * surrogates. The joiners U+200C and U+200D are allowed: emoji and Persian need them.
 */
const unprintable = /[\p{Cc}\p{Cs}\p{Bidi_C}\u00ad\u180e\u200b\u2028\u2029\u2060-\u206f\ufeff\ufff9-\ufffb]/gu

/**
 * The name and the type of a stored file, from the metadata of the client: `filename` or `name`, and `filetype`, `type`
 * or `contentType`. The name is encoded (RFC 6266). A type that is not shown is not sent either: if a page loads a
 * script or a style sheet, browsers ignore `attachment` and `sandbox`, but check the type (Fetch, "nosniff").
 */
export function describe (
  metadata: UploadMetadata = {}, isInline: (essence: string) => boolean
): { type: string, disposition: string } {
  const name = fileName(metadata['filename'] ?? metadata['name'] ?? '')
  const type = essenceOf(metadata['filetype'] ?? metadata['type'] ?? metadata['contentType'] ?? '') ?? OCTET_STREAM
  const isShown = isInline(type)
  return {
    type: isShown ? type : OCTET_STREAM,
    disposition: contentDisposition(name, { type: isShown ? 'inline' : 'attachment', fallback: toAscii(name) })
  }
}

/**
 * For clients that do not know `filename*` (RFC 6266, appendix D). Without it, names in ISO 8859-1 would be sent as raw
 * bytes, which clients interpret as UTF-8.
 */
function toAscii (name = ''): string {
  return name.replace(/[^\x20-\x7e]/gu, '_')
}

/** The last segment of a path, shortened but with its extension; `undefined` if that is not a name. */
function fileName (path: string): string | undefined {
  const segment = path.split(/[\\/]/).findLast((text) => text !== '') ?? ''
  const name = segment.replace(unprintable, '_')
  if (name === '' || name === '.' || name === '..') return undefined
  if (Buffer.byteLength(name) <= MAX_NAME_BYTES) return name
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
