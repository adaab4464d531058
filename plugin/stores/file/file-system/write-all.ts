import type { OpenFile } from './file-system.ts'

/** The position of the next byte in a file. */
export interface Cursor {
  position: number
}

/** Writes all buffers, `bytes` in total, at the cursor. The cursor moves past what was written, also on failure. */
export async function writeAll (file: OpenFile, cursor: Cursor, buffers: Buffer[], bytes: number): Promise<void> {
  const end = cursor.position + bytes
  for (let rest = buffers; cursor.position < end;) {
    const written = await file.writev(rest, cursor.position)
    if (written === 0) throw Object.assign(new Error('The file system wrote no bytes'), { code: 'EIO' })
    cursor.position += written
    // A disk that becomes full stores only some of the bytes; the next call reports the error.
    if (cursor.position < end) rest = skip(rest, written)
  }
}

function skip (buffers: Buffer[], bytes: number): Buffer[] {
  let left = bytes
  return buffers.flatMap((buffer) => {
    const skipped = Math.min(left, buffer.length)
    left -= skipped
    return skipped === buffer.length ? [] : [buffer.subarray(skipped)]
  })
}
