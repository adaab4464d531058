/** The bytes to send, and the check that they are stored unchanged. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { randomFillSync } from 'node:crypto'

export const KIB = 1024
export const MIB = 1024 * KIB
export const GIB = 1024 * MIB

/** Each upload starts at a different position of the same bytes, so that no upload equals another. */
const SHIFT = 4099

let prepared: Buffer = Buffer.alloc(0)

/** Random bytes for the upload with this number. */
export function bytesFor (number: number, length: number): Buffer {
  const begin = number * SHIFT
  if (prepared.length < begin + length) prepared = randomBytes(begin + length)
  return prepared.subarray(begin, begin + length)
}

function randomBytes (length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length)
  // One call fills less than 2 GiB. Small steps also keep the event loop responsive.
  for (let at = 0; at < length; at += 16 * MIB) randomFillSync(bytes, at, Math.min(16 * MIB, length - at))
  return bytes
}

const block = Buffer.alloc(MIB)

/** @throws if a file does not have exactly these bytes */
export function expectStored (file: string, bytes: Buffer): void {
  const descriptor = openSync(file, 'r')
  try {
    const { size } = fstatSync(descriptor)
    if (size !== bytes.length) throw new Error(`${file} has ${size} bytes, not ${bytes.length}`)
    for (let at = 0; at < size;) {
      const read = readSync(descriptor, block, 0, MIB, at)
      if (!block.subarray(0, read).equals(bytes.subarray(at, at + read))) {
        throw new Error(`${file} differs from the sent bytes between ${at} and ${at + read}`)
      }
      at += read
    }
  } finally {
    closeSync(descriptor)
  }
}
