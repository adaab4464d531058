import { errors } from '../../../errors.ts'
import type { Bucket } from '../bucket/bucket.ts'
import type { Piece } from './plan-parts.ts'
import { contentOf } from '../appends/segments.ts'
import type { VersionedState } from '../states/state.ts'
import type { States } from '../states/states.ts'

/** How often in a row reading is tried without getting a byte. */
const ATTEMPTS = 4

/**
 * The bytes of an upload from `start` up to but not including `end`. A response that breaks is continued. Segments that
 * are gone have been joined or assembled: the state then has their new place.
 * @throws FST_TUS_GONE if the bytes are gone
 */
export async function * readBytes (
  { states, bucket }: { states: States, bucket: Bucket }, first: VersionedState, start: number, end: number
): AsyncGenerator<Buffer> {
  const { id } = first.upload
  let state = first
  let failures = 0
  let isTaken = false
  for (let position = start; position < end;) {
    const piece = pieceAt(state, position)
    if (piece?.content !== undefined) {
      const bytes = piece.content.subarray(piece.start, piece.start + end - position)
      yield bytes
      position += bytes.length
      continue
    }
    try {
      const range = piece && { start: piece.start, bytes: Math.min(piece.bytes, end - position) }
      const stream = piece && await bucket.getStream(piece.key, range)
      if (stream === undefined) throw new errors.Gone()
      for await (const bytes of stream) {
        position += (bytes as Buffer).length
        failures = 0
        isTaken = true
        yield bytes as Buffer
        isTaken = false
      }
    } catch (error) {
      // The reader may end the stream with an error.
      if (isTaken || ++failures === ATTEMPTS) throw error
      state = await states.find(id)
    }
  }
}

/** The rest of the object that has the byte at a position; `undefined` if that is not stored. */
function pieceAt (state: VersionedState, position: number): Piece | undefined {
  const { upload: { id, offset }, phase } = state
  const pieces = phase === 'object' ? [{ key: id, start: 0, bytes: offset, isWhole: true }] : contentOf(state)
  let start = 0
  for (const piece of pieces) {
    const skipped = position - start
    if (skipped < piece.bytes) return { ...piece, start: skipped, bytes: piece.bytes - skipped, isWhole: skipped === 0 }
    start += piece.bytes
  }
  return undefined
}
