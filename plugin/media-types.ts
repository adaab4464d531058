/** `type/subtype` in the characters of a token (RFC 9110, 8.3.1), and `type/*`. */
const mediaType = /^[!#$%&'*+.^_`|~0-9a-z-]+\/[!#$%&'*+.^_`|~0-9a-z-]+$/
const mediaRange = /^[!#$%&'+.^_`|~0-9a-z-]+\/(?:\*|[!#$%&'+.^_`|~0-9a-z-]+)$/

/** Types that a browser shows without running anything in them. */
export const INLINE_TYPES: readonly string[] = [
  'image/apng', 'image/avif', 'image/bmp', 'image/gif', 'image/jpeg', 'image/png', 'image/webp',
  'audio/aac', 'audio/flac', 'audio/mp4', 'audio/mpeg', 'audio/ogg', 'audio/wav', 'audio/webm',
  'video/mp4', 'video/mpeg', 'video/ogg', 'video/quicktime', 'video/webm', 'video/x-matroska',
  'text/plain'
]

/** Types that run in the page that loads them, or change its look (MIME Sniffing, 4.6 "JavaScript MIME type"). */
const SCRIPT_TYPES: ReadonlySet<string> = new Set([
  'application/ecmascript', 'application/javascript', 'application/x-ecmascript', 'application/x-javascript',
  'text/ecmascript', 'text/javascript', 'text/javascript1.0', 'text/javascript1.1', 'text/javascript1.2',
  'text/javascript1.3', 'text/javascript1.4', 'text/javascript1.5', 'text/jscript', 'text/livescript',
  'text/x-ecmascript', 'text/x-javascript', 'application/wasm', 'text/css', 'text/xsl', 'application/xslt+xml'
])

/** Whether a media type, in lower case, is that of a script or a style sheet. */
export function isScriptType (essence: string): boolean {
  return SCRIPT_TYPES.has(essence)
}

/** The text of a media type without its parameters, in lower case (RFC 9110, 8.3.1). */
export function withoutParameters (text: string): string {
  return text.split(';', 1).join().trim().toLowerCase()
}

/** A media type without its parameters, in lower case; `undefined` if the text is not a media type. */
export function essenceOf (text: string): string | undefined {
  const essence = withoutParameters(text)
  return mediaType.test(essence) ? essence : undefined
}

/** Whether a value is a media type without parameters, or all subtypes of one: `video/mp4`, `video/*`. */
export function isMediaRange (value: unknown): value is string {
  return typeof value === 'string' && mediaRange.test(value.toLowerCase())
}

/** Returns a function that checks whether a media type, in lower case, is in a list. */
export function typeMatcher (ranges: readonly string[]): (essence: string) => boolean {
  const wanted = new Set(ranges.map((range) => range.toLowerCase()))
  return (essence) => wanted.has(essence) || wanted.has(essence.replace(/\/.*/, '/*'))
}
