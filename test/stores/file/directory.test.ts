import fs from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { FileStore } from '../../../plugin/index.ts'

t.test('when a FileStore is made its directory is there, and nothing goes on behind', async (t) => {
  const directory = path.join(t.testdir(), 'a', 'b')
  // Nobody could catch what this throws, for instance because the directory is being deleted again.
  const behind = t.capture(fs, 'mkdir')
  const store = new FileStore({ directory })
  t.equal(store.directory, directory)
  t.ok(fs.statSync(directory).isDirectory())
  t.same(behind(), [])
})

t.test('EDGE-62 a directory that the system does not make is an error, however deep', async (t) => {
  const root = t.testdir({ dangling: t.fixture('symlink', 'nowhere') })
  const places = [path.join(root, 'dangling'), ...process.platform === 'linux' ? ['/proc/uploads'] : []]
  for (const place of places) {
    for (const directory of [place, path.join(place, 'a', 'b')]) {
      t.throws(() => new FileStore({ directory }), { code: 'FST_TUS_DIRECTORY' }, directory)
    }
  }
})

t.test('a directory that another process makes at the same time is taken', async (t) => {
  const directory = path.join(t.testdir(), 'a')
  const { mkdirSync } = fs
  t.intercept(fs, 'mkdirSync', {
    value: (name: string) => {
      mkdirSync(name)
      mkdirSync(name)
    }
  })
  t.equal(new FileStore({ directory }).directory, directory)
})
