import assert from 'node:assert/strict'
import type { RawResponse } from '../raw-request.ts'
import { mayBeMissing, type Upload } from './model.ts'
import type { Operation } from './operation.ts'
import type { Answer } from './wire.ts'
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

  async send (world: World): Promise<Answer> {
    return await world.send('DELETE', this.#upload.location)
  }

  heard (_world: World, { status }: RawResponse): void {
    if (status !== 204) return
    assert(!this.#upload.isGone, 'what was deleted was deleted again')
    this.#upload.isGone = true
  }

  judge (_world: World, answer: Answer): void {
    const expected = this.#upload.isGone ? [404, 410] : this.#mayBeGone ? [204, 404, 410] : [204]
    assert(expected.includes(Number(answer?.status)), `DELETE answers ${answer?.status}`)
  }
}
