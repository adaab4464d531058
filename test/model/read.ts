import assert from 'node:assert/strict'
import { isComplete, mayBeMissing, mayHaveCompleteParts, type Upload } from './model.ts'
import type { World } from './world.ts'

/** GET: a complete upload has the bytes that were sent. Parts and incomplete uploads are not served. */
export async function read (world: World, upload: Upload): Promise<void> {
  const response = await fetch(world.machine.base + upload.location)
  const bytes = Buffer.from(await response.arrayBuffer())
  world.count(`GET ${response.status}`)
  const isThere = isComplete(upload) && !upload.isPartial && !upload.isGone
  // A final upload keeps its bytes if its parts are deleted afterwards.
  const mayBeThere = isThere || (upload.parts && (upload.maybeJoined || mayHaveCompleteParts(upload)))
  if (response.status === 200) {
    assert(mayBeThere, 'a missing or incomplete upload is served')
    assert(bytes.equals(upload.content.subarray(0, upload.size)), 'the served bytes are not those that were sent')
    return
  }
  assert([404, 410].includes(response.status), `GET returns ${response.status}`)
  assert(!isThere || mayBeMissing(upload, world.clock), 'a complete upload is not served')
}
