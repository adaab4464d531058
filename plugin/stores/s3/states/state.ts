import { isDeepStrictEqual } from 'node:util'
import type { Upload } from '../../../types.ts'
import { StoredUpload } from '../../stored-upload.ts'

/** Stored bytes of an upload: an object that never changes. */
export interface Segment {
  name: string
  bytes: number
}

/**
 * The place of the bytes. `open`: in segments, then in the tail of the state. `object`: in the object of the upload.
 * `removed`: the deletion has begun.
 */
export type Phase = 'open' | 'object' | 'removed'

/** Everything that is known about an upload: the content of its state object. */
export interface State {
  upload: StoredUpload
  phase: Phase
  /** Identifies the upload even if its id is used again. */
  birth: string
  /**
   * Identifies this version. A process whose write was repeated recognizes by it that the first attempt has succeeded.
   * It also keeps two versions from having the same ETag, which may be a hash of the content.
   */
  commit: string
  segments: Segment[]
  /** The bytes after the last segment. A few bytes as an object of their own would cost a request. */
  tail: Buffer
  /** The append that has committed bytes and not ended yet, as far as is known. */
  appending?: string | undefined
  /** The multipart upload that assembles the object. */
  multipart?: string | undefined
}

/** A state, and the version of its object. */
export interface VersionedState extends State {
  etag: string
}

interface Encoded extends Omit<State, 'upload' | 'segments' | 'tail'> {
  version: 1
  upload: Upload
  modified: number | undefined
  /** Name and bytes of each. */
  segments: Array<[string, number]>
}

const LENGTH_BYTES = 4

/** The length of the JSON as 4 bytes, the JSON, the tail. */
export function encode ({ upload, phase, birth, commit, segments, tail, appending, multipart }: State): Buffer {
  const encoded: Encoded = {
    version: 1,
    upload,
    modified: upload.modified,
    phase,
    birth,
    commit,
    segments: segments.map(({ name, bytes }) => [name, bytes]),
    appending,
    multipart
  }
  const json = Buffer.from(JSON.stringify(encoded))
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeUInt32BE(json.length)
  return Buffer.concat([length, json, tail])
}

export function decode (bytes: Buffer): State {
  const end = LENGTH_BYTES + bytes.readUInt32BE()
  const { upload, modified, version, segments, ...rest } =
    JSON.parse(bytes.toString('utf8', LENGTH_BYTES, end)) as Encoded
  if (version !== 1) throw new Error(`Unknown version of the state of an upload: ${version}`)
  return {
    ...rest,
    upload: new StoredUpload({ ...upload, modified }),
    segments: segments.map(([name, bytes]) => ({ name, bytes })),
    tail: bytes.subarray(end)
  }
}

export function bytesOf (segments: Segment[]): number {
  return segments.reduce((sum, { bytes }) => sum + bytes, 0)
}

/**
 * Whether two states have the same bytes and the same writer. What may differ are facts about the upload, such as that
 * its finish hook has run.
 */
export function differsOnlyInFacts (a: State, b: State): boolean {
  return isDeepStrictEqual(withoutFacts(a), withoutFacts(b))
}

function withoutFacts ({ upload, phase, birth, segments, tail, appending, multipart }: State): unknown[] {
  const { offset, size, complete, refused } = upload
  return [phase, birth, segments, tail, appending, multipart, offset, size, complete, refused]
}
