import t from 'tap'
import { isBeyond, playableUntil } from '../../example-client/src/watch/timeline.ts'

const half = { offset: 50, length: 100, duration: 60 }

t.test('a time is beyond the stored bytes by its share', async t => {
  t.equal(isBeyond(29, half), false)
  t.equal(isBeyond(31, half), true)
  t.equal(isBeyond(60, { ...half, offset: 100 }), false, 'the upload is complete')
})

t.test('a player resumes slightly before the end of the stored bytes, and not before the start', async t => {
  t.equal(playableUntil(half), 27)
  t.equal(playableUntil({ ...half, offset: 1 }), 0)
  t.equal(playableUntil({ ...half, offset: 100 }), 60)
})
