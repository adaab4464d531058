import assert from 'node:assert/strict'
import type { RawResponse } from '../raw-request.ts'
import { mayBeMissing, touch, type Upload } from './model.ts'
import type { Operation } from './operation.ts'
import { type Answer, type BodyShape, type Guard, mayBeUnheard } from './wire.ts'
import type { World } from './world.ts'

export interface AppendShape {
  /** How much of what is left of the upload is sent: 1 is all of it. */
  share: number
  guard: Guard
  chunked: boolean
  /** How many bytes come after the end of the upload. */
  over: number
  /** By how much the client is wrong about the offset. */
  wrongBy: number
  /** Whether a length that is not known is declared. */
  declares: boolean
  /** Where the body is cut off, as a share of it. */
  cut?: { at: number, how: 'end' | 'reset' } | undefined
}

/** PATCH. */
export class Appending implements Operation {
  readonly #upload: Upload
  readonly #shape: AppendShape
  readonly #body: BodyShape
  readonly #from: number
  readonly #claimed: number
  readonly #size: number | undefined
  readonly #mayBeMissing: boolean
  /** Whether a body is on its way to it, so that nobody knows the offset. */
  readonly #isBlurred: boolean

  constructor (world: World, upload: Upload, shape: AppendShape) {
    this.#upload = upload
    this.#shape = shape
    this.#from = upload.offset
    this.#claimed = Math.max(0, upload.offset + shape.wrongBy)
    const end = upload.size ?? upload.content.length
    this.#size = upload.size ?? (shape.declares ? end : undefined)
    const length = shape.over > 0 && this.#size !== undefined
      ? end - this.#from + shape.over
      : Math.round((end - this.#from) * shape.share)
    const sent = upload.content.subarray(this.#from, Math.min(end, this.#from + length))
    const bytes = Buffer.concat([sent, Buffer.alloc(length - sent.length, 'x')])
    const cut = shape.cut && { after: Math.floor(shape.cut.at * bytes.length), how: shape.cut.how }
    this.#body = { bytes, guard: shape.guard, chunked: shape.chunked, cut }
    this.#isBlurred = upload.open !== undefined
    this.#mayBeMissing = mayBeMissing(upload, world.clock)
  }

  may (world: World): void {
    const upload = this.#upload
    world.widen(upload)
    touch(upload, world.clock.now)
    if (upload.size === undefined && this.#shape.declares) upload.maybeSize = this.#size
    upload.reach = Math.max(upload.reach, this.#from + this.#mostStored())
  }

  async send (world: World): Promise<Answer> {
    const declared = this.#shape.declares ? { 'upload-length': String(this.#size) } : {}
    const headers = { 'upload-offset': String(this.#claimed), ...declared }
    return await world.send('PATCH', this.#upload.location, headers, this.#body)
  }

  heard (world: World, { status, headers }: RawResponse): void {
    const upload = this.#upload
    if (status !== 204) return
    const offset = Number(headers['upload-offset'])
    // One that is too long may be ended by a later request when the upload is just whole.
    const expected = this.#isOver ? this.#size : this.#from + this.#body.bytes.length
    assert.equal(offset, expected, 'the answer is another offset')
    assert(!this.#isWrong, 'a body with a wrong checksum counts')
    upload.offset = Math.max(upload.offset, offset)
    upload.reach = Math.max(upload.reach, upload.offset)
    if (this.#shape.declares) {
      upload.size = this.#size
      upload.maybeSize = undefined
    }
    touch(upload, world.clock.now)
  }

  judge (_world: World, answer: Answer): void {
    if (this.#body.cut !== undefined) return
    const status = answer?.status
    const expected = this.#expected()
    if (answer === undefined && mayBeUnheard(this.#body) && expected.some((status) => status !== 204)) return
    assert(status !== undefined && expected.includes(status), `PATCH answers ${status}, not ${expected.join(' or ')}`)
    if (status === 204 || this.#isBlurred) return
    // What is refused does not count at all.
    this.#upload.reach = this.#upload.offset
    this.#upload.maybeSize = undefined
  }

  /** How many bytes of the body may count where no answer says so. */
  #mostStored (): number {
    const { bytes, guard, cut } = this.#body
    if (this.#isWrong || this.#claimed !== this.#from || this.#upload.parts) return 0
    if (cut === undefined && !this.#isOver) return bytes.length
    const most = this.#size === undefined ? Infinity : this.#size - this.#from
    // What is too long counts as far as it goes where something ends it before its end is seen.
    return guard === 'none' ? Math.min(cut?.after ?? Infinity, bytes.length, most) : 0
  }

  get #isWrong (): boolean {
    return this.#shape.guard.startsWith('wrong') && this.#body.bytes.length > 0
  }

  get #isOver (): boolean {
    return this.#size !== undefined && this.#from + this.#body.bytes.length > this.#size
  }

  #expected (): number[] {
    const upload = this.#upload
    if (upload.isGone) return [404, 410]
    const expected = [this.#refusal() ?? 204]
    if (this.#isBlurred) expected.push(409)
    if (this.#mayBeMissing) expected.push(404, 410)
    return expected
  }

  /** The status of an upload that is there and where it was; `undefined` where nothing is wrong. */
  #refusal (): number | undefined {
    if (this.#upload.parts) return 403
    if (this.#claimed !== this.#from) return 409
    if (this.#isOver) return 413
    return this.#isWrong ? 460 : undefined
  }
}
