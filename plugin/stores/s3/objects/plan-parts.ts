/** A range of an object. */
export interface Piece {
  key: string
  start: number
  bytes: number
  /** Whether it is the complete object. */
  isWhole: boolean
  /** The bytes, if they are in memory and not in an object. */
  content?: Buffer
}

/** The smallest part of a multipart upload in S3, except for the last one, in bytes. */
export const MIN_PART_BYTES = 5 * 1024 * 1024
/** Small pieces are joined until they have this many bytes. */
const JOINED_BYTES = 8 * 1024 * 1024
/** The longest range that one request copies, in bytes. S3 allows 5 GiB, but such a request takes minutes. */
const COPIED_BYTES = 512 * 1024 * 1024

/**
 * Plans the parts of a multipart upload for an object made of pieces, none of them empty. A part of one piece is copied
 * by the server. A part of several pieces, each too small to be a part, has to be read and sent.
 */
export function planParts (pieces: Piece[]): Piece[][] {
  const parts: Piece[][] = []
  let joined: Piece[] = []
  const joinedBytes = () => joined.reduce((sum, { bytes }) => sum + bytes, 0)
  const endPart = () => {
    if (joined.length > 0) parts.push(joined)
    joined = []
  }
  for (const piece of pieces) {
    const [head, rest] = divide(piece, headOf(piece, joinedBytes()))
    if (head !== undefined) joined.push(head)
    if (rest !== undefined) {
      endPart()
      parts.push(...split(rest).map((range) => [range]))
    } else if (joinedBytes() >= JOINED_BYTES) {
      endPart()
    }
  }
  endPart()
  return parts
}

/** How many bytes of a piece the part before it takes; the rest is large enough for a part of its own. */
function headOf ({ bytes }: Piece, before: number): number {
  if (bytes < MIN_PART_BYTES) return bytes
  const missing = before === 0 ? 0 : Math.max(0, MIN_PART_BYTES - before)
  return bytes - missing < MIN_PART_BYTES ? bytes : missing
}

function divide (piece: Piece, bytes: number): [Piece | undefined, Piece | undefined] {
  if (bytes === 0) return [undefined, piece]
  if (bytes === piece.bytes) return [piece, undefined]
  return [
    { ...piece, bytes, isWhole: false },
    { ...piece, start: piece.start + bytes, bytes: piece.bytes - bytes, isWhole: false }
  ]
}

/** Ranges of about the same length that are not too long to be copied. */
function split (piece: Piece): Piece[] {
  const count = Math.ceil(piece.bytes / COPIED_BYTES)
  if (count === 1) return [piece]
  const length = Math.ceil(piece.bytes / count)
  return Array.from({ length: count }, (_, i) => ({
    ...piece,
    start: piece.start + i * length,
    bytes: Math.min(length, piece.bytes - i * length),
    isWhole: false
  }))
}
