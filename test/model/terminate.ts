import assert from 'node:assert/strict'
import type { RawResponse } from '../raw-request.ts'
import { mayBeMissing, type Upload } from './model.ts'
import type { Operation } from './operation.ts'
import type { MaybeResponse } from './wire.ts'
import type { World } from './world.ts'

/** DELETE. */
export class Terminating implements Operation {
  readonly #upload: Upload
  readonly #mayBeGone: boolean

  constructor (world: World, upload: Upload) {
    this.#upload = upload
    this.#mayBeGone = upload.isGone || mayBeMissing(upload, world.clock)
  }

  may (world: World): void {
    world.widen(this.#upload)
    this.#upload.maybeGone = true
  }

  async send (world: World): Promise<MaybeResponse> {
    return await world.send('DELETE', this.#upload.location)
  }

  apply (_world: World, { status }: RawResponse): void {
    if (status !== 204) return
    assert(!this.#upload.isGone, 'a deleted upload was deleted again')
    this.#upload.isGone = true
  }

  judge (_world: World, response: MaybeResponse): void {
    const expected = this.#upload.isGone ? [404, 410] : this.#mayBeGone ? [204, 404, 410] : [204]
    assert(expected.includes(Number(response?.status)), `DELETE returns ${response?.status}`)
  }
}
