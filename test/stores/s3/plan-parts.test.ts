import fc from 'fast-check'
import t from 'tap'
import { MIN_PART_BYTES, type Piece, planParts } from '../../../plugin/stores/s3/objects/plan-parts.ts'
import { segmentBytesOf } from '../../../plugin/stores/s3/appends/segment-size.ts'

const MIB = 1024 * 1024
const GIB = 1024 * MIB

const pieceOf = (bytes: number, i: number): Piece => ({ key: String(i), start: 0, bytes, isWhole: true })

const lengths = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: MIN_PART_BYTES - 1 }) },
  { weight: 4, arbitrary: fc.integer({ min: MIN_PART_BYTES, max: 4 * MIN_PART_BYTES }) },
  fc.integer({ min: 1, max: 12 * GIB }),
  fc.constantFrom(1, MIN_PART_BYTES - 1, MIN_PART_BYTES, MIN_PART_BYTES + 1, 512 * MIB, 512 * MIB + 1, 5 * GIB)
)

/** The ranges of the pieces, adjacent ones joined. */
function covered (parts: Piece[][]): Array<[string, number]> {
  const ranges: Array<[string, number]> = []
  for (const { key, start, bytes } of parts.flat()) {
    const last = ranges.at(-1)
    if (last?.[0] === key && last[1] === start) last[1] += bytes
    else if (start === 0) ranges.push([key, bytes])
    else throw new Error(`a gap before byte ${start} of ${key}`)
  }
  return ranges
}

t.test('parts have all bytes of the pieces once and in order, within the limits of S3', async (t) => {
  fc.assert(fc.property(fc.array(lengths, { maxLength: 40 }), (lengths) => {
    const pieces = lengths.map(pieceOf)
    const parts = planParts(pieces)
    t.same(covered(parts), pieces.map(({ key, bytes }) => [key, bytes]))
    for (const [i, part] of parts.entries()) {
      const bytes = part.reduce((sum, piece) => sum + piece.bytes, 0)
      if (i < parts.length - 1 && bytes < MIN_PART_BYTES) throw new Error(`part ${i} has ${bytes} bytes`)
      if (part.length === 1 && bytes > 512 * MIB) throw new Error(`part ${i} is too long to be copied`)
      if (part.length > 1 && bytes > 24 * MIB) throw new Error(`part ${i} is too long for memory`)
      for (const { key, start, bytes, isWhole } of part) {
        if (isWhole !== (start === 0 && bytes === lengths[Number(key)])) throw new Error('wrong isWhole')
      }
    }
  }), { numRuns: 500 })
})

t.test('an upload of any length has few enough segments', async (t) => {
  for (const end of [MIB, GIB, 80 * GIB, 200 * GIB, 5 * 1024 * GIB]) {
    for (const size of [end, undefined]) {
      let count = 0
      for (let offset = 0; offset < end; count++) offset += Math.ceil(segmentBytesOf({ size, offset }, 8 * MIB))
      t.ok(count < 9000, `${end} bytes in ${count} segments, length ${size === undefined ? 'deferred' : 'known'}`)
    }
  }
  t.equal(segmentBytesOf({ size: MIB, offset: 0 }, 8 * MIB), 8 * MIB)
})
