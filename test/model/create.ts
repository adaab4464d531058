import assert from 'node:assert/strict'
import type { RawResponse } from '../raw-request.ts'
import type { AppendShape } from './append.ts'
import { contentOf } from './content.ts'
import { newUpload, touch } from './model.ts'
import type { Operation } from './operation.ts'
import { type MaybeResponse, type BodyShape, mayBeUnheard } from './wire.ts'
import type { World } from './world.ts'

export interface CreateShape {
  /** In bytes. */
  size: number
  /** The seed of its content. */
  content: number
  deferred: boolean
  partial: boolean
  /** The share of the bytes that is sent with the creation. */
  body?: Pick<AppendShape, 'share' | 'over' | 'guard' | 'chunked' | 'cut'> | undefined
}

/** POST, of a plain or partial upload. */
export class Creating implements Operation {
  readonly #shape: CreateShape
  readonly #content: Buffer
  readonly #body: BodyShape | undefined

  constructor (shape: CreateShape) {
    this.#shape = shape
    this.#content = contentOf(shape.content, shape.size)
    const { body } = shape
    if (body === undefined) return
    const over = shape.deferred ? 0 : body.over
    const bytes = over > 0
      ? Buffer.concat([this.#content, Buffer.alloc(over, 'x')])
      : this.#content.subarray(0, Math.round(shape.size * body.share))
    const cut = body.cut && { after: Math.floor(body.cut.at * bytes.length), how: body.cut.how }
    this.#body = { bytes, guard: body.guard, chunked: body.chunked, cut }
  }

  may (world: World): void {
    world.unanswered++
  }

  async send (world: World): Promise<MaybeResponse> {
    const { deferred, partial, size } = this.#shape
    return await world.send('POST', '/files', {
      ...(deferred ? { 'upload-defer-length': '1' } : { 'upload-length': String(size) }),
      ...(partial ? { 'upload-concat': 'partial' } : {})
    }, this.#body)
  }

  apply (world: World, { status, headers }: RawResponse): void {
    world.unanswered--
    if (status !== 201) return
    const { deferred, partial, size } = this.#shape
    const offset = this.#body?.bytes.length ?? 0
    assert.equal(headers['upload-offset'], this.#body && String(offset))
    const { now } = world.clock
    const upload = newUpload({
      location: headers['location'] as string,
      content: this.#content,
      size: deferred ? undefined : size,
      isPartial: partial,
      offset,
      reach: offset,
      written: { from: now - 5000, to: now }
    })
    touch(upload, now)
    world.uploads.push(upload)
  }

  judge (_world: World, response: MaybeResponse): void {
    if (this.#body?.cut) return
    const isOver = this.#body !== undefined && this.#body.bytes.length > this.#shape.size
    const isWrong = this.#body !== undefined && this.#body.guard.startsWith('wrong') && this.#body.bytes.length > 0
    if (response === undefined && isOver && mayBeUnheard(this.#body)) return
    assert.equal(response?.status, isOver ? 413 : isWrong ? 460 : 201, 'POST')
  }
}
