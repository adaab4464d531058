// Codec names in WebM (RFC 9559, CodecID) and in the `codecs` parameter of a media type (RFC 6381).
const webmNames = [['V_VP8', 'vp8'], ['V_VP9', 'vp9'], ['A_OPUS', 'opus'], ['A_VORBIS', 'vorbis']] as const

// The start of the media data: all tracks are described before it.
const cluster = '\x1f\x43\xb6\x75'
const fragment = 'moof'

/**
 * The codecs of a recording from its first bytes, in the form that browsers need before playback.
 * @returns `null` while there are too few bytes; empty if there is no known codec
 */
export function findCodecs (bytes: Uint8Array<ArrayBuffer>): string | null {
  // One character per byte.
  const text = new TextDecoder('latin1').decode(bytes)
  if (text.includes(cluster)) return webmNames.filter(([id]) => text.includes(id)).map(([, name]) => name).join(',')
  if (text.includes(fragment)) return mp4Codecs(text, bytes).join(',')
  return null
}

function mp4Codecs (text: string, bytes: Uint8Array<ArrayBuffer>): string[] {
  const codecs = []
  const avc = text.indexOf('avcC')
  // The name of the box, its version, and then profile, constraints and level (ISO/IEC 14496-15).
  if (avc >= 0) codecs.push(`avc1.${Array.from(bytes.slice(avc + 5, avc + 8), hex).join('')}`)
  if (text.includes('mp4a')) codecs.push('mp4a.40.2')
  if (text.includes('Opus')) codecs.push('opus')
  return codecs
}

function hex (byte: number): string {
  return byte.toString(16).padStart(2, '0').toUpperCase()
}
