import type { Bucket, ListedObject } from '../bucket/bucket.ts'
import { segmentKey, stateKey, UPLOADS } from '../bucket/keys.ts'
import type { States } from '../states/states.ts'

/** A younger object may belong to an append under way, in ms. */
const MIN_AGE = 24 * 3_600_000

/**
 * Deletes the objects that crashed processes have left: segments that no state names. All objects of the store have to
 * be listed for that.
 * @returns how many were deleted
 */
export async function removeOrphans (bucket: Bucket, states: States, now: number): Promise<number> {
  let deleted = 0
  for await (const [id, objects] of byUpload(bucket.list(UPLOADS))) {
    const segments = objects.filter(({ key }) => key !== stateKey(id))
    const old = segments.filter(({ modified }) => modified + MIN_AGE <= now)
    if (old.length === 0) continue
    const state = await states.read(id)
    const named = new Set(state?.segments.map(({ name }) => segmentKey(id, name)))
    const orphans = old.map(({ key }) => key).filter((key) => !named.has(key))
    await bucket.deleteAll(orphans)
    deleted += orphans.length
  }
  return deleted
}

/** The objects of one upload follow each other in the list. */
async function * byUpload (objects: AsyncIterable<ListedObject>): AsyncGenerator<[string, ListedObject[]]> {
  let id = ''
  let group: ListedObject[] = []
  for await (const object of objects) {
    const [next = ''] = object.key.slice(UPLOADS.length).split('/', 1)
    if (next !== id && group.length > 0) yield [id, group]
    if (next !== id) group = []
    id = next
    group.push(object)
  }
  if (group.length > 0) yield [id, group]
}
