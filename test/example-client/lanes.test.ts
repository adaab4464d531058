import t from 'tap'
import { countSlices, filesAtATime, isWhole, makeLanes, makeStrip, sum } from '../../example-client/src/lanes.ts'
import type { Lane } from '../../example-client/src/lanes.ts'

const ranges = (lanes: Lane[]) => lanes.map(({ start, end }) => [start, end])

t.test('lanes have similar lengths, end at slice boundaries, and cover the file', async t => {
  t.same(ranges(makeLanes(100, 1, 10)), [[0, 100]])
  t.same(ranges(makeLanes(101, 2, 10)), [[0, 60], [60, 101]])
  t.same(ranges(makeLanes(90, 3, 10)), [[0, 30], [30, 60], [60, 90]])
  t.same(ranges(makeLanes(15, 4, 10)), [[0, 10], [10, 15]], 'never more lanes than slices')
  t.same(ranges(makeLanes(0, 3, 10)), [[0, 0]], 'an empty file')
})

t.test('the bytes of all lanes are added up', async t => {
  const [a, b] = makeLanes(20, 2, 10) as [Lane, Lane]
  t.equal(sum([{ ...a, accepted: 5, sent: 7 }, { ...b, accepted: 10, sent: 10 }], 'accepted'), 15)
  t.equal(sum([{ ...a, accepted: 5, sent: 7 }, { ...b, accepted: 10, sent: 10 }], 'sent'), 17)
})

t.test('a square shows the accepted and the sent share of a slice', async t => {
  const [lane] = makeLanes(25, 1, 10) as [Lane]
  const { cells, slicesInCell } = makeStrip([{ ...lane, accepted: 12, sent: 15, busy: true }], 10, 100)
  t.equal(slicesInCell, 1)
  t.same(cells, [
    { accepted: 1, sent: 1, busy: false },
    { accepted: 0.2, sent: 0.5, busy: true },
    { accepted: 0, sent: 0, busy: false }
  ])
})

t.test('each lane fills its own squares', async t => {
  const [a, b] = makeLanes(40, 2, 10) as [Lane, Lane]
  const { cells } = makeStrip([{ ...a, accepted: 10, sent: 10, busy: true }, { ...b, accepted: 0, sent: 5 }], 10, 100)
  t.same(cells.map(cell => cell.accepted), [1, 0, 0, 0])
  t.same(cells.map(cell => cell.sent), [1, 0, 0.5, 0])
  t.same(cells.map(cell => cell.busy), [false, true, false, false])
})

t.test('each square stands for several slices if there are too many', async t => {
  const [lane] = makeLanes(1000, 1, 1) as [Lane]
  const { cells, slicesInCell } = makeStrip([{ ...lane, accepted: 6, sent: 6 }], 1, 240)
  t.equal(slicesInCell, 5)
  t.equal(cells.length, 200)
  t.equal(cells[1]?.accepted, 0.2)
})

t.test('an empty file has no squares', async t => {
  t.same(makeStrip(makeLanes(0, 1, 10), 10, 100).cells, [])
  t.same(countSlices(makeLanes(0, 1, 10), 10), { count: 0, accepted: 0, sending: 0 })
})

t.test('slices are counted by state', async t => {
  const [a, b] = makeLanes(35, 2, 10) as [Lane, Lane]
  t.same(countSlices([{ ...a, accepted: 10, sent: 12, busy: true }, { ...b, accepted: 15, sent: 15 }], 10),
    { count: 4, accepted: 3, sending: 1 }, 'the short last slice counts when it is complete')
  t.same(countSlices([{ ...a, accepted: 10, sent: 10, busy: true }, b], 10), { count: 4, accepted: 1, sending: 1 },
    'a slice is on the way before its first byte is')
  t.same(countSlices([{ ...a, accepted: 15, sent: 19, busy: true }, b], 10), { count: 4, accepted: 1, sending: 1 })
})

t.test('some connections are left for the page', async t => {
  t.same([1, 2, 3, 4].map(filesAtATime), [2, 2, 1, 1])
})

t.test('an upload without lanes has no squares', async t => {
  t.same(makeStrip([], 10, 100).cells, [])
})

t.test('a lane is complete when its upload exists and has all bytes', async (t) => {
  const [lane] = makeLanes(10, 1, 5) as [Lane]
  t.notOk(isWhole(lane))
  lane.url = '/files/a'
  t.notOk(isWhole(lane))
  lane.accepted = 10
  t.ok(isWhole(lane))
  const [empty] = makeLanes(0, 1, 5) as [Lane]
  t.notOk(isWhole(empty), 'even an empty one must be created')
  t.ok(isWhole({ ...empty, url: '/files/a' }))
})
