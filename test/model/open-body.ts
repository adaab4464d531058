import assert from 'node:assert/strict'
import { mayBeMissing, touch, type Upload } from './model.ts'
import { answerOf, checkAnswer, encode, type Guard, open } from './wire.ts'
import type { World } from './world.ts'

export interface OpenShape {
  /** How much of what is left of the upload is announced, and how much of that is sent at once. */
  share: number
  first: number
  guard: Extract<Guard, 'none' | 'right' | 'wrong'>
}

/** Begins a body that stays on its way while other things happen. */
export async function beginBody (world: World, upload: Upload, { share, first, guard }: OpenShape): Promise<void> {
  const left = (upload.size ?? upload.content.length) - upload.offset
  const bytes = upload.content.subarray(upload.offset, upload.offset + Math.ceil(left * share))
  if (bytes.length === 0) return
  const { headers, body } = encode({ bytes, guard, chunked: false })
  const wasMaybeExpired = mayBeMissing(upload, world.clock)
  world.widen(upload)
  touch(upload, world.clock.now)
  // Asked for `100 Continue`, the server tells when the body is begun.
  const raw = await open(world.machine.base, 'PATCH', upload.location, {
    'upload-offset': String(upload.offset), expect: '100-continue', ...headers
  })
  const answer = await Promise.race([raw.wanted, raw.response])
  world.count(`PATCH begun ${answer?.status ?? 100}`)
  await world.settle()
  if (answer !== undefined) {
    checkAnswer(answer, 'PATCH')
    raw.socket.destroy()
    const isMoved = upload.reach > upload.offset
    assert(upload.isGone || wasMaybeExpired || isMoved || upload.parts, `a body is refused: ${answer.status}`)
    return await world.look(upload)
  }
  // Whatever was on its way before, this body is where it says.
  upload.reach = upload.offset
  upload.open = { raw, body, sent: 0, right: guard !== 'wrong', guarded: guard !== 'none' }
  feed(world, upload, first)
}

/** Sends more of a body that is on its way, but for its last byte. */
export function feed (world: World, upload: Upload, share: number): void {
  const { open } = upload
  if (open === undefined) return
  const more = Math.floor((open.body.length - 1 - open.sent) * share)
  open.raw.socket.write(open.body.subarray(open.sent, open.sent + more))
  open.sent += more
  touch(upload, world.clock.now)
}

/** Sends the rest of a body that was on its way: nothing that happened meanwhile is in its way. */
export async function finishBody (world: World, upload: Upload): Promise<void> {
  const { open } = upload
  if (open === undefined) return
  touch(upload, world.clock.now)
  open.raw.socket.write(open.body.subarray(open.sent))
  open.sent = open.body.length
  const isCounted = !open.guarded || open.right
  if (isCounted) upload.reach = upload.offset + open.body.length
  world.noteFinals()
  const answer = await answerOf(open.raw)
  upload.open = undefined
  world.count(`PATCH ${answer?.status ?? 'unanswered'}`)
  assert(answer, 'a body that went on is not answered')
  checkAnswer(answer, 'PATCH')
  assert.equal(answer.status, isCounted ? 204 : 460, 'a body that went on')
  if (!isCounted) return
  assert.equal(Number(answer.headers['upload-offset']), upload.reach)
  upload.offset = upload.reach
  touch(upload, world.clock.now)
}

/** The client is gone in the middle of a body. */
export function cutBody (world: World, upload: Upload, how: 'end' | 'reset'): void {
  const { open } = upload
  if (open === undefined) return
  open.isCut = true
  world.widen(upload)
  if (how === 'end') open.raw.socket.end()
  else open.raw.socket.resetAndDestroy()
}
