import { errors } from '../../errors.ts'
import type { Bucket } from './bucket.ts'
import { newName, segmentKey } from './keys.ts'
import { LruCache } from './lru.ts'
import { MIN_PART_BYTES, type Piece } from './plan-parts.ts'
import { bytesOf, type Segment, type State } from './state.ts'

/** How much of small segments is cached, in bytes: they are joined later, and need not be read again then. */
const CACHE_BYTES = 32 * 1024 * 1024

/** The segments of uploads: objects that are written once, under names that no other process uses. */
export class Segments {
  readonly #bucket: Bucket
  readonly #small = new LruCache<Buffer>(CACHE_BYTES)

  constructor (bucket: Bucket) {
    this.#bucket = bucket
  }

  async write (id: string, bytes: Buffer, name = newName()): Promise<Segment> {
    const key = segmentKey(id, name)
    await this.#bucket.put(key, bytes)
    if (bytes.length < MIN_PART_BYTES) this.#small.set(key, bytes, bytes.length)
    return { name, bytes: bytes.length }
  }

  /** @throws FST_TUS_STORE_FAILED if the object does not exist */
  async read (piece: Piece): Promise<Buffer> {
    const { key, start, bytes } = piece
    const cached = piece.content ?? this.#small.get(key)
    if (cached !== undefined) return cached.subarray(start, start + bytes)
    const found = await this.#bucket.getBytes(key, piece.isWhole ? undefined : piece)
    if (found?.bytes.length !== bytes) throw new errors.StoreFailed({ cause: new Error(`Object ${key} is missing`) })
    return found.bytes
  }

  async readAll (pieces: Piece[]): Promise<Buffer> {
    return Buffer.concat(await Promise.all(pieces.map((piece) => this.read(piece))))
  }

  /**
   * Joins the small segments at the end once they make a large one, so that the state of an upload from many small
   * bodies stays short.
   * @param large - from how many bytes on
   */
  async joinSmall (id: string, segments: Segment[], large: number): Promise<Segment[]> {
    const first = segments.findLastIndex(({ bytes }) => bytes >= MIN_PART_BYTES) + 1
    const small = segments.slice(first)
    if (small.length < 2 || bytesOf(small) < large) return segments
    const joined = await this.write(id, await this.readAll(piecesOf(id, small)))
    return [...segments.slice(0, first), joined]
  }
}

export function piecesOf (id: string, segments: Segment[]): Piece[] {
  return segments.map(({ name, bytes }) => ({ key: segmentKey(id, name), start: 0, bytes, isWhole: true }))
}

/** The bytes of an upload that is not an object yet. */
export function contentOf ({ upload, segments, tail }: State): Piece[] {
  const inState = { key: '', start: 0, bytes: tail.length, isWhole: false, content: tail }
  return [...piecesOf(upload.id, segments), inState]
}
