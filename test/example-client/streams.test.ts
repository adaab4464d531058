import t from 'tap'
import { inOrder, readAhead } from '../../example-client/src/streams.ts'

t.test('a source is read ahead of its consumer, in order', async t => {
  const read: number[] = []
  const items = readAhead([1, 2, 3], item => read.push(item))
  t.equal((await items.next()).value, 1)
  await new Promise(resolve => setImmediate(resolve))
  t.same(read, [1, 2, 3])
  t.same([(await items.next()).value, (await items.next()).value], [2, 3])
  t.equal((await items.next()).done, true)
})

t.test('results come before the error of the source', async t => {
  const items = readAhead((async function * () {
    yield 1
    throw new Error('unreadable')
  })(), () => {})
  t.equal((await items.next()).value, 1)
  await t.rejects(items.next(), /unreadable/)
})

t.test('results come in the order of the items, however long each takes', async t => {
  let going = 0
  let most = 0
  const waiting: (() => void)[] = []
  const results = inOrder([1, 2, 3, 4, 5], 2, async item => {
    most = Math.max(most, ++going)
    await new Promise<void>(resolve => waiting.push(resolve))
    going--
    return item * 10
  })
  const all: [number, number][] = []
  const collected = (async () => { for await (const result of results) all.push(result) })()
  while (all.length < 5) {
    waiting.pop()?.()
    await new Promise(resolve => setImmediate(resolve))
  }
  await collected
  t.same(all, [[1, 10], [2, 20], [3, 30], [4, 40], [5, 50]])
  t.equal(most, 2)
})

t.test('an error comes in the order of its item', async t => {
  const results = inOrder([1, 2], 2, async item => {
    if (item === 2) throw new Error('two')
    return item
  })
  t.same((await results.next()).value, [1, 1])
  await t.rejects(results.next(), /two/)
})
