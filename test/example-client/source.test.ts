import t from 'tap'
import { LiveSource } from '../../example-client/src/live/source.ts'

t.test('a slice is returned as soon as there are bytes', async t => {
  const source = new LiveSource()
  const first = source.slice(0, 100)
  source.add(new Blob(['abc']))
  const { value, done } = await first
  t.equal(await value.text(), 'abc')
  t.equal(done, false)
  t.equal(source.bytes, 3)
})

t.test('returned bytes can be requested again', async t => {
  const source = new LiveSource()
  source.add(new Blob(['abc']))
  source.add(new Blob(['def']))
  t.equal(await (await source.slice(2, 4)).value.text(), 'cd')
  t.equal(await (await source.slice(0, 100)).value.text(), 'abcdef')
})

t.test('the end comes with the last bytes or alone', async t => {
  const source = new LiveSource()
  source.add(new Blob(['abc']))
  const waiting = source.slice(3, 100)
  source.end()
  const { value, done } = await waiting
  t.equal(value.size, 0)
  t.equal(done, true)
  t.equal((await source.slice(0, 2)).done, false)
  t.equal((await source.slice(0, 3)).done, true)
})
