import t from 'tap'
import { errors } from '../../plugin/index.ts'
import type { Upload } from '../../plugin/index.ts'
import { BucketList } from '../../src/bucket-list.ts'

const made = '2026-01-02T03:04:05.678Z'

/** A store that lists names in their order, as a bucket does. */
function listOf (uploads: Record<string, Partial<Upload> | Error>) {
  return new BucketList({
    async * list (after = '') {
      for (const id of Object.keys(uploads).sort()) if (id > after) yield id
    },
    async getUpload (id) {
      const found = uploads[id]
      if (found instanceof Error) throw found
      return { id, size: 1, offset: 1, creation_date: made, ...found } as Awaited<ReturnType<BucketStore['getUpload']>>
    }
  })
}

type BucketStore = ConstructorParameters<typeof BucketList>[0]

t.test('a later id sorts before an earlier one, also for clocks far apart', async (t) => {
  const list = listOf({})
  const ids = [0, 1, Date.now(), 2 ** 47].map((now) => list.newId(now))
  t.same([...ids].sort(), [...ids].reverse())
  t.match(ids[0], /^[\da-f]{12}-[\da-f]{32}$/)
  t.not(list.newId(), list.newId())
})

t.test('uploads that are hidden or gone do not shorten a page', async (t) => {
  const list = listOf({
    a: {}, b: { refused: true }, c: new errors.NotFound(), d: { concatenation: { header: 'partial' } }, e: {}, f: {}
  })
  const first = await list.page(2)
  t.same(first.uploads.map(({ id }) => id), ['a', 'e'])
  t.equal(first.next, `${Date.parse(made)}-e`)
  const second = await list.page(2, first.next as string)
  t.same(second.uploads.map(({ id }) => id), ['f'])
  t.equal(second.next, null)
})

t.test('an empty bucket has no uploads, and an error of the store is passed on', async (t) => {
  t.same(await listOf({}).page(2), { uploads: [], next: null })
  await t.rejects(listOf({ a: new errors.StoreUnavailable() }).page(2), { code: 'FST_TUS_STORE_UNAVAILABLE' })
})
