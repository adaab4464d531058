import assert from 'node:assert/strict'
import type { RawResponse } from '../raw-request.ts'
import { mayBeMissing, touch, type Upload } from './model.ts'
import type { Operation } from './operation.ts'
import { type MaybeResponse, type BodyShape, type Guard, mayBeUnheard } from './wire.ts'
import type { World } from './world.ts'

export interface AppendShape {
  /** The share of the remaining bytes of the upload that is sent: 1 is all of them. */
  share: number
  guard: Guard
  chunked: boolean
  /** How many bytes follow the end of the upload. */
  over: number
  /** The difference between the offset that the client claims and the right one. */
  wrongBy: number
  /** Whether an unknown length is declared. */
  declares: boolean
  /** The place at which the body is cut off, as a share of it. */
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
  /** Whether another body is being received, or may still be, so that the offset is unknown. */
  readonly #isBlurred: boolean

  constructor (world: World, upload: Upload, shape: AppendShape) {
    this.#upload = upload
    this.#shape = shape
    this.#from = upload.offset
    this.#claimed = Math.max(0, upload.offset + shape.wrongBy)
    const end = upload.size ?? upload.content.length
    this.#size = upload.size ?? (shape.declares ? end : undefined)
    // The bytes for the claimed offset: a concurrent request may make it the right one.
    const rest = Math.max(0, end - this.#claimed)
    const length = shape.over > 0 && this.#size !== undefined ? rest + shape.over : Math.round(rest * shape.share)
    const sent = upload.content.subarray(this.#claimed, Math.min(end, this.#claimed + length))
    const bytes = Buffer.concat([sent, Buffer.alloc(length - sent.length, 'x')])
    const cut = shape.cut && { after: Math.floor(shape.cut.at * bytes.length), how: shape.cut.how }
    this.#body = { bytes, guard: shape.guard, chunked: shape.chunked, cut }
    this.#isBlurred = upload.open !== undefined || upload.reach > upload.offset
    this.#mayBeMissing = mayBeMissing(upload, world.clock)
  }

  may (world: World): void {
    const upload = this.#upload
    world.widen(upload)
    touch(upload, world.clock.now)
    if (upload.size === undefined && this.#shape.declares) upload.maybeSize = this.#size
    upload.reach = Math.max(upload.reach, Math.min(this.#size ?? Infinity, this.#claimed + this.#mostStored()))
  }

  async send (world: World): Promise<MaybeResponse> {
    const declared = this.#shape.declares ? { 'upload-length': String(this.#size) } : {}
    const headers = { 'upload-offset': String(this.#claimed), ...declared }
    return await world.send('PATCH', this.#upload.location, headers, this.#body)
  }

  apply (world: World, { status, headers }: RawResponse): void {
    const upload = this.#upload
    if (status !== 204) return
    const offset = Number(headers['upload-offset'])
    // A body that is too long may be ended by a later request when the upload has just completed.
    const expected = this.#isOver ? this.#size : this.#claimed + this.#body.bytes.length
    assert.equal(offset, expected, 'the response has another offset')
    assert(!this.#isWrong, 'a body with a wrong checksum counts')
    upload.offset = Math.max(upload.offset, offset)
    upload.reach = Math.max(upload.reach, upload.offset)
    if (this.#shape.declares) {
      upload.size = this.#size
      upload.maybeSize = undefined
    }
    touch(upload, world.clock.now)
  }

  judge (world: World, response: MaybeResponse): void {
    if (this.#body.cut !== undefined) return
    const status = response?.status
    const expected = this.#expected(world)
    if (response === undefined && mayBeUnheard(this.#body) && expected.some((status) => status !== 204)) return
    assert(status !== undefined && expected.includes(status), `PATCH returns ${status}, not ${expected.join(' or ')}`)
    if (status === 204 || this.#isBlurred) return
    // A refused body does not count at all.
    this.#upload.reach = this.#upload.offset
    this.#upload.maybeSize = undefined
  }

  /** How many bytes of the body may count without a response. */
  #mostStored (): number {
    const { bytes, guard, cut } = this.#body
    if (this.#isWrong || this.#upload.parts) return 0
    if (cut === undefined && !this.#isOver) return bytes.length
    const most = this.#size === undefined ? Infinity : Math.max(0, this.#size - this.#claimed)
    // A body that is too long counts up to the length if it is ended before its end is read.
    return guard === 'none' ? Math.min(cut?.after ?? Infinity, bytes.length, most) : 0
  }

  get #isWrong (): boolean {
    return this.#shape.guard.startsWith('wrong') && this.#body.bytes.length > 0
  }

  get #isOver (): boolean {
    return this.#size !== undefined && this.#claimed + this.#body.bytes.length > this.#size
  }

  #expected (world: World): number[] {
    const upload = this.#upload
    if (upload.isGone) return [404, 410, ...this.#outdated(world)]
    const expected = [this.#refusal() ?? 204]
    if (this.#isBlurred) expected.push(409)
    if (this.#mayBeMissing) expected.push(404, 410)
    return expected
  }

  /** A process that has not learnt of a deletion notices it only when it stores a byte. */
  #outdated ({ mayBeOutdated }: World): number[] {
    const refusal = this.#refusal()
    const writes = refusal === undefined && this.#body.bytes.length > 0
    return mayBeOutdated && !writes ? [refusal ?? 204] : []
  }

  /** The status for an upload that exists and has not moved; `undefined` if the request is right. */
  #refusal (): number | undefined {
    if (this.#upload.parts) return 403
    if (this.#claimed !== this.#from) return 409
    if (this.#isOver) return 413
    return this.#isWrong ? 460 : undefined
  }
}
