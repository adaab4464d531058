import type { Upload } from '../../../types.ts'
import type { Bucket } from '../bucket/bucket.ts'
import { DUE } from '../bucket/keys.ts'
import type { VersionedState } from '../states/state.ts'
import type { States } from '../states/states.ts'

/** The earliest check of an upload after its creation, or after the last check, in ms. */
const MIN_WAIT_MS = 60_000
/** A check follows after this share of the age of the upload: old uploads are not read in every sweep. */
const SHARE_OF_AGE = 1 / 8
/**
 * A younger marker may belong to a creation under way, in ms. The clock of this process may differ by hours from those
 * of the process that creates the upload and of the S3 server.
 */
const CREATION_MS = 24 * 3_600_000

/**
 * The uploads that a sweep must check. For each of them there is an empty object, whose name begins with a time: a
 * sweep lists only those whose time has come, and the cost does not depend on how many uploads are stored.
 */
export class DueUploads {
  readonly #bucket: Bucket
  readonly #states: States
  readonly #remove: (state: VersionedState) => Promise<void>

  /** @param remove - completes a deletion that a crash has interrupted */
  constructor (bucket: Bucket, states: States, remove: (state: VersionedState) => Promise<void>) {
    this.#bucket = bucket
    this.#states = states
    this.#remove = remove
  }

  async add (upload: Upload): Promise<void> {
    await this.#bucket.put(firstMarker(upload), Buffer.alloc(0))
  }

  /** The marker of a new upload, which need not be checked any more. If a sweep has moved it, a sweep deletes it. */
  markerOf (upload: Upload): string {
    return firstMarker(upload)
  }

  /** @param now - in ms since the epoch */
  async * list (now: number): AsyncGenerator<string> {
    const reported = new Set<string>()
    const latest = timeText(now)
    for await (const { key, modified } of this.#bucket.list(DUE)) {
      const name = key.slice(DUE.length)
      if (name.slice(0, latest.length) > latest) return
      const id = name.slice(latest.length + 1)
      const state = await this.#states.read(id)
      if (state === undefined && modified + CREATION_MS > now) continue
      if (state?.phase === 'removed' && !await this.#isRemoved(state)) continue
      const isDue = state !== undefined && state.phase !== 'removed' && !isSettled(state.upload)
      if (isDue) await this.#bucket.put(nextMarker(state.upload, now), Buffer.alloc(0))
      await this.#bucket.delete(key)
      if (isDue && !reported.has(id)) yield id
      reported.add(id)
    }
  }

  /** The next sweep tries it again. */
  async #isRemoved (state: VersionedState): Promise<boolean> {
    return await this.#remove(state).then(() => true, () => false)
  }
}

/** Whether an upload never expires and its finish hook has run. */
export function isSettled ({ finished, refused, concatenation }: Upload): boolean {
  const isPartial = concatenation !== undefined && concatenation.parts === undefined
  return finished === true && refused !== true && !isPartial
}

function firstMarker ({ id, creation_date: created }: Upload): string {
  return marker(id, timeOf(created) + MIN_WAIT_MS)
}

function nextMarker ({ id, creation_date: created }: Upload, now: number): string {
  return marker(id, now + Math.max(MIN_WAIT_MS, (now - timeOf(created)) * SHARE_OF_AGE))
}

const marker = (id: string, time: number): string => `${DUE}${timeText(time)}-${id}`

/** As `20260102T030405`: sorted as text, times are in their order. */
const timeText = (time: number): string => new Date(time).toISOString().slice(0, 19).replace(/[-:]/g, '')

function timeOf (created: string | undefined): number {
  const time = Date.parse(String(created))
  return Number.isNaN(time) ? 0 : time
}
