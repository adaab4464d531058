/** Bytes from the first to the last, both included, as in a header. */
export interface ByteRange {
  start: number
  end: number
}

/** One range of bytes. A server may ignore several ranges and send the complete file. */
const single = /^bytes= *(?<first>\d*)-(?<last>\d*) *$/i

/**
 * Reads `Range` (RFC 9110, 14.1.2 and 14.2).
 * @param size - of the complete file, in bytes
 * @returns `undefined` if the header is to be ignored, `'unsatisfiable'` if no such bytes exist
 */
export function parseRange (header: string, size: number): ByteRange | 'unsatisfiable' | undefined {
  const { first = '', last = '' } = single.exec(header)?.groups ?? {}
  if (first === '') {
    if (last === '') return undefined
    if (Number(last) === 0) return 'unsatisfiable'
    // An empty file has no first byte.
    return size === 0 ? undefined : { start: Math.max(0, size - Number(last)), end: size - 1 }
  }
  const start = Number(first)
  const end = last === '' ? Infinity : Number(last)
  if (end < start) return undefined
  return start < size ? { start, end: Math.min(end, size - 1) } : 'unsatisfiable'
}
