import assert from 'node:assert/strict'
import type { RawResponse } from '../raw-request.ts'
import { mayBeMissing, mayHaveCompleteParts, newUpload, type Upload } from './model.ts'
import type { Operation } from './operation.ts'
import type { MaybeResponse } from './wire.ts'
import type { World } from './world.ts'

/** POST of a final upload. */
export class Concatenating implements Operation {
  readonly #parts: Upload[]
  readonly #isSure: boolean
  /** Whether it may have its bytes at once, also if a concurrent request deletes a part afterwards. */
  #mayBeJoined = false

  constructor (world: World, parts: Upload[]) {
    this.#parts = parts
    this.#isSure = !parts.some((part) => mayBeMissing(part, world.clock))
  }

  may (world: World): void {
    world.unanswered++
  }

  async send (world: World): Promise<MaybeResponse> {
    this.#mayBeJoined = mayHaveCompleteParts({ parts: this.#parts })
    const urls = this.#parts.map(({ location }) => location)
    return await world.send('POST', '/files', { 'upload-concat': `final;${urls.join(' ')}` })
  }

  apply (world: World, { status, headers }: RawResponse): void {
    world.unanswered--
    if (status !== 201) return
    // A final upload that waits is named in the records of its parts, under their locks.
    for (const part of this.#parts) world.widen(part)
    const content = Buffer.concat(this.#parts.map((part) => part.content.subarray(0, part.size)))
    const { now } = world.clock
    world.uploads.push(newUpload({
      location: headers['location'] as string,
      content,
      size: content.length,
      isPartial: false,
      parts: this.#parts,
      maybeJoined: this.#mayBeJoined,
      written: { from: now, to: now }
    }))
  }

  judge (_world: World, response: MaybeResponse): void {
    const parts = this.#parts
    const isRefused = parts.some((part) => !part.isPartial || part.isGone || part.size === undefined)
    if (this.#isSure || isRefused) {
      return assert.equal(response?.status, isRefused ? 400 : 201, 'POST of a final upload')
    }
    assert(response?.status === 201 || response?.status === 400, `POST of a final upload returns ${response?.status}`)
  }
}
