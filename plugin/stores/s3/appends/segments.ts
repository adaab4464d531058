import { errors } from '../../../errors.ts'
import type { Bucket } from '../bucket/bucket.ts'
import { newName, segmentKey } from '../bucket/keys.ts'
import { LruCache } from '../states/lru.ts'
import { MIN_PART_BYTES, type Piece } from '../objects/plan-parts.ts'
import { bytesOf, type Segment, type State } from '../states/state.ts'

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
   * Joins the small segments at the end, as many as make a large one, so that the state of an upload from many small
   * bodies, or from a slow one, stays short.
   * @param large - from how many bytes on, at least 5 MiB
   * @param kept - how many of the first segments are left as they are
   */
  async joinSmall (id: string, segments: Segment[], large: number, kept: number): Promise<Segment[]> {
    const first = Math.max(kept, segments.findLastIndex(({ bytes }) => bytes >= MIN_PART_BYTES) + 1)
    if (bytesOf(segments.slice(first)) < large) return segments
    const joined = segments.slice(0, first)
    let group: Segment[] = []
    for (const segment of segments.slice(first)) {
      group.push(segment)
      if (bytesOf(group) < large) continue
      joined.push(await this.write(id, await this.readAll(piecesOf(id, group))))
      group = []
    }
    return [...joined, ...group]
  }
}

export function piecesOf (id: string, segments: Segment[]): Piece[] {
  return segments.map(({ name, bytes }) => ({ key: segmentKey(id, name), start: 0, bytes, isWhole: true }))
}

/** The bytes of an upload that is not an object yet. */
export function contentOf ({ upload, segments, tail }: State): Piece[] {
  return [...piecesOf(upload.id, segments), pieceOf(tail)]
}

/** Bytes that are in memory. */
export function pieceOf (content: Buffer): Piece {
  return { key: '', start: 0, bytes: content.length, isWhole: false, content }
}
