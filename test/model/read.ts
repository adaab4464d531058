import assert from 'node:assert/strict'
import { isWhole, mayBeMissing, mayHaveWholeParts, type Upload } from './model.ts'
import type { World } from './world.ts'

/** GET: a whole upload has the bytes that were sent, and any other is not served. */
export async function read (world: World, upload: Upload): Promise<void> {
  const response = await fetch(world.machine.base + upload.location)
  const bytes = Buffer.from(await response.arrayBuffer())
  world.count(`GET ${response.status}`)
  const isThere = isWhole(upload) && !upload.isGone
  const mayBeThere = isThere || (upload.parts && mayHaveWholeParts(upload))
  if (response.status === 200) {
    assert(mayBeThere, 'what is not there, or not whole, is served')
    assert(bytes.equals(upload.content.subarray(0, upload.size)), 'what is served is not what was sent')
    return
  }
  assert([404, 410].includes(response.status), `GET answers ${response.status}`)
  assert(!isThere || mayBeMissing(upload, world.clock), 'a whole upload is not served')
}
