/** Bytes from the first to the last one, both included, as in a header. */
export interface ByteRange {
  start: number
  end: number
}

/** One range of bytes; of several, which a server may ignore, a file is sent whole. */
const single = /^bytes= *(?<first>\d*)-(?<last>\d*) *$/i

/**
 * Reads `Range` (RFC 9110, 14.1.2 and 14.2).
 * @param size - of the whole, in bytes
 * @returns `undefined` where the header is to be ignored, `'unsatisfiable'` where there are no such bytes
 */
export function parseRange (header: string, size: number): ByteRange | 'unsatisfiable' | undefined {
  const { first = '', last = '' } = single.exec(header)?.groups ?? {}
  if (first === '') {
    if (last === '') return undefined
    if (Number(last) === 0) return 'unsatisfiable'
    // All of nothing has no first byte to name.
    return size === 0 ? undefined : { start: Math.max(0, size - Number(last)), end: size - 1 }
  }
  const start = Number(first)
  const end = last === '' ? Infinity : Number(last)
  if (end < start) return undefined
  return start < size ? { start, end: Math.min(end, size - 1) } : 'unsatisfiable'
}
