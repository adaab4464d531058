/** How many bytes of a file are read to show its content. */
export const headSize = 4096

/** The first bytes as text, or `null` if they are not UTF-8 text. */
export function readText (head: Uint8Array): string | null {
  try {
    // In stream mode, because the last character may be incomplete.
    const text = new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true })
    return hasControls(text) ? null : text
  } catch {
    return null
  }
}

/** The first bytes as a hex dump. Each line has the offset, 16 bytes, and the bytes as ASCII. */
export function dumpHex (head: Uint8Array, lines = 8): string {
  const rows: string[] = []
  for (let at = 0; at < head.length && rows.length < lines; at += 16) {
    const bytes = Array.from(head.subarray(at, at + 16))
    const hex = bytes.map(byte => byte.toString(16).padStart(2, '0')).join(' ')
    const ascii = bytes.map(byte => byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.').join('')
    rows.push(`${at.toString(16).padStart(4, '0')}  ${hex.padEnd(47)}  ${ascii}`)
  }
  return rows.join('\n')
}

// Text files contain tabs, line ends and form feeds, but no other control characters.
function hasControls (text: string): boolean {
  return Array.from(text).some(character => character < ' ' && !'\t\n\r\f'.includes(character))
}
