import assert from 'node:assert/strict'
import { mayBeMissing, touch, type Upload } from './model.ts'
import { responseOf, checkResponse, encode, type Guard, open } from './wire.ts'
import type { World } from './world.ts'

export interface OpenShape {
  /** The share of the remaining bytes of the upload that is announced, and the share of those that is sent at once. */
  share: number
  first: number
  guard: Extract<Guard, 'none' | 'right' | 'wrong'>
}

/** Begins a body that stays open while other things happen. */
export async function beginBody (world: World, upload: Upload, { share, first, guard }: OpenShape): Promise<void> {
  const left = (upload.size ?? upload.content.length) - upload.offset
  const bytes = upload.content.subarray(upload.offset, upload.offset + Math.ceil(left * share))
  if (bytes.length === 0) return
  const { headers, body } = encode({ bytes, guard, chunked: false })
  const wasMaybeExpired = mayBeMissing(upload, world.clock)
  world.widen(upload)
  touch(upload, world.clock.now)
  // The server sends `100 Continue` when it begins to read the body.
  const raw = await open(world.machine.base, 'PATCH', upload.location, {
    'upload-offset': String(upload.offset), expect: '100-continue', ...headers
  })
  const response = await Promise.race([raw.wanted, raw.response])
  world.count(`PATCH begun ${response?.status ?? 100}`)
  await world.settle()
  if (response !== undefined) {
    checkResponse(response, 'PATCH')
    raw.socket.destroy()
    const isMoved = upload.reach > upload.offset
    const mayBeRefused = upload.isGone || wasMaybeExpired || isMoved || upload.parts || !world.isExclusive
    assert(mayBeRefused, `a body is refused: ${response.status}`)
    return await world.compare(upload)
  }
  // Whatever was received before, the offset is now that of this body, unless another process has yet to receive it.
  if (!world.machine.isLate) upload.reach = upload.offset
  assert(!upload.isGone || world.mayBeOutdated, 'a body for a deleted upload is received')
  const mayBeDisplaced = upload.reach > upload.offset || upload.isGone || !world.isExclusive
  upload.open = { raw, body, sent: 0, right: guard !== 'wrong', guarded: guard !== 'none', mayBeDisplaced }
  feed(world, upload, first)
}

/** Sends more of an open body, but not its last byte. */
export function feed (world: World, upload: Upload, share: number): void {
  const { open } = upload
  if (open === undefined) return
  const more = Math.floor((open.body.length - 1 - open.sent) * share)
  open.raw.socket.write(open.body.subarray(open.sent, open.sent + more))
  open.sent += more
  touch(upload, world.clock.now)
}

/** Sends the rest of an open body: nothing that happened meanwhile may have ended it. */
export async function finishBody (world: World, upload: Upload): Promise<void> {
  const { open } = upload
  if (open === undefined) return
  touch(upload, world.clock.now)
  open.raw.socket.write(open.body.subarray(open.sent))
  open.sent = open.body.length
  const isCounted = !open.guarded || open.right
  const end = upload.offset + open.body.length
  if (isCounted) upload.reach = Math.max(upload.reach, end)
  world.noteSweeps()
  const response = await responseOf(open.raw)
  upload.open = undefined
  world.count(`PATCH ${response?.status ?? 'unanswered'}`)
  if (response !== undefined) checkResponse(response, 'PATCH')
  if (open.mayBeDisplaced && response?.status !== 204) return
  assert(response, 'a resumed body got no response')
  assert(!upload.isGone, 'a deleted upload was appended to')
  assert.equal(response.status, isCounted ? 204 : 460, 'a resumed body')
  if (!isCounted) return
  assert.equal(Number(response.headers['upload-offset']), end)
  upload.offset = end
  touch(upload, world.clock.now)
}

/** The client disappears in the middle of a body. */
export function cutBody (world: World, upload: Upload, how: 'end' | 'reset'): void {
  const { open } = upload
  if (open === undefined) return
  open.isCut = true
  world.widen(upload)
  if (how === 'end') open.raw.socket.end()
  else open.raw.socket.resetAndDestroy()
}
