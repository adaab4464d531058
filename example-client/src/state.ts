import type { Failure, Wait } from './retry.ts'

/**
 * The state of an upload. `ready` waits for the visitor to start it, `queued` waits in the queue, `waiting` retries
 * automatically, `missing` needs its file again after a reload, `elsewhere` belongs to another tab. `done` and
 * `cancelled` are final.
 */
export type State =
  | 'ready' | 'queued' | 'uploading' | 'waiting' | 'joining' | 'paused' | 'failed' | 'missing' | 'elsewhere' | 'done'
  | 'cancelled'

/**
 * Why the file is missing after a reload: the browser must ask for permission, the permission was denied, the visitor
 * must choose the file again, or the file has changed.
 */
export type Missing = 'permission' | 'refused' | 'file' | 'changed'

/**
 * How an upload survives a reload: by a copy of the file, by its handle, or by its record, which needs the file to be
 * chosen again. `null`: it does not.
 */
export type Kept = 'copy' | 'handle' | 'record' | null

/** The visible properties of an upload. */
export interface Seen {
  name: string
  size: number
  state: State
  /** Bytes that the server has acknowledged, which are safe. */
  accepted: number
  /** Bytes that the browser has passed to the network. */
  sent: number
  /** Bytes per second. */
  speed: number | null
  /** The offset where the upload was resumed, in bytes. */
  continuedAt: number | null
  /** Why and until when it waits, in ms since 1970; `null`: until the network is back. */
  wait: { why: Wait, nextTry: number | null } | null
  failure: Failure | null
  missing: Missing | null
  /** `undefined`: not known yet. */
  kept: Kept | undefined
  /** The server had deleted the upload, so that it started over. */
  restarted: boolean
  /** The server already had the file, so nothing was sent. */
  instant: boolean
}
