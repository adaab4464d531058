import t from 'tap'
import { LruCache } from '../../../plugin/stores/s3/states/lru.ts'

t.test('the values that were not used for the longest time are dropped beyond the limit', async (t) => {
  const cache = new LruCache<string>(10)
  cache.set('a', 'A', 4)
  cache.set('b', 'B', 4)
  t.equal(cache.get('a'), 'A')
  cache.set('c', 'C', 4)
  t.equal(cache.get('b'), undefined)
  t.equal(cache.get('a'), 'A')
  cache.set('a', 'AA', 2)
  cache.set('d', 'D', 4)
  t.same(['a', 'c', 'd'].map((key) => cache.get(key)), ['AA', 'C', 'D'], 'a replaced value counts once')
  cache.set('e', 'E', 11)
  t.same(['a', 'c', 'd', 'e'].map((key) => cache.get(key)), [undefined, undefined, undefined, undefined])
  cache.delete('a')
  cache.set('f', 'F', 10)
  t.equal(cache.get('f'), 'F')
})
