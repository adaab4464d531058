import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { DemoError } from '../../../src/demo/errors.ts'
import { makeSource, openSource } from '../../../src/demo/source.ts'

t.test('a file that cannot be sent is refused with the reason', async t => {
  const directory = t.testdir({ empty: '', one: '1' })
  const cases: [string, RegExp][] = [
    [join(directory, 'missing'), /^No such file: .*missing$/],
    [join(directory, 'empty', 'below'), /^Cannot read .*below: ENOTDIR$/],
    [directory, /is not a file$/],
    [join(directory, 'empty'), /is too small \(0 bytes\): the upload must have a middle$/],
    [join(directory, 'one'), /is too small \(1 bytes\): the upload must have a middle$/]
  ]
  for (const [path, message] of cases) await t.rejects(openSource(path), { constructor: DemoError, message })
})

t.test('a source reports its name and size', async t => {
  const path = join(t.testdir({ 'a b.txt': 'hello' }), 'a b.txt')
  t.same(await openSource(path), { path, name: 'a b.txt', size: 5 })
})

t.test('a file of any size is generated from the clip', async t => {
  const { path, size } = await makeSource(t.testdir(), 300_000)
  t.equal(size, 300_000)
  t.equal((await stat(path)).size, 300_000)
})
