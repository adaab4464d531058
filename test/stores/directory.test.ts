import fs from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { FileStore } from '../../plugin/index.ts'

t.test('when a FileStore is made its directory is there, and nothing goes on behind', async (t) => {
  const directory = path.join(t.testdir(), 'a', 'b')
  // Nobody could catch what this throws, for instance because the directory is being deleted again.
  const behind = t.capture(fs, 'mkdir')
  const store = new FileStore({ directory })
  t.equal(store.directory, directory)
  t.ok(fs.statSync(directory).isDirectory())
  t.same(behind(), [])
})
