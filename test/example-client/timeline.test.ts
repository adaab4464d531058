import t from 'tap'
import { isBeyond, playableUntil } from '../../example-client/src/watch/timeline.ts'

const half = { offset: 50, length: 100, duration: 60 }

t.test('a time is beyond what is there by its share of the bytes', async t => {
  t.equal(isBeyond(29, half), false)
  t.equal(isBeyond(31, half), true)
  t.equal(isBeyond(60, { ...half, offset: 100 }), false, 'all of it is there')
})

t.test('a player goes on a little before the edge, and never before the beginning', async t => {
  t.equal(playableUntil(half), 27)
  t.equal(playableUntil({ ...half, offset: 1 }), 0)
  t.equal(playableUntil({ ...half, offset: 100 }), 60)
})
