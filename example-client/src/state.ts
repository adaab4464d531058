import type { Failure, Wait } from './retry.ts'

/**
 * Where an upload is. `ready` waits for the visitor to start it and `queued` for its turn; `waiting` tries again by
 * itself; `missing` needs its file again after a reload; `elsewhere` belongs to another tab; `done` and `cancelled` are
 * the end.
 */
export type State =
  | 'ready' | 'queued' | 'uploading' | 'waiting' | 'joining' | 'paused' | 'failed' | 'missing' | 'elsewhere' | 'done'
  | 'cancelled'

/**
 * Why the file is not there after a reload: the browser must ask, or has asked and the answer was no, or the visitor
 * must choose it again.
 */
export type Missing = 'permission' | 'refused' | 'file' | 'changed'

/**
 * How an upload survives a reload: by a copy of the file, by its handle, or only if the file is chosen again, for which
 * its record is enough. `null`: it does not.
 */
export type Kept = 'copy' | 'handle' | 'record' | null

/** What there is to see of an upload. */
export interface Seen {
  name: string
  size: number
  state: State
  /** Bytes that the server has acknowledged: these are safe. */
  accepted: number
  /** Bytes that the browser has handed to the network. */
  sent: number
  /** Bytes a second. */
  speed: number | null
  /** The offset that the server gave to go on from, in bytes. */
  continuedAt: number | null
  /** Why it waits, and until when, in ms since 1970; `null`: until the network is back. */
  wait: { why: Wait, nextTry: number | null } | null
  failure: Failure | null
  missing: Missing | null
  /** `undefined`: not settled yet. */
  kept: Kept | undefined
  /** The server had deleted what it had, so that it began anew. */
  restarted: boolean
  /** The server had the file already: nothing was sent. */
  instant: boolean
}
