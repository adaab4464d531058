import fs from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { FileStore } from '../../../plugin/index.ts'

t.test('the constructor of FileStore creates its directory before it returns', async (t) => {
  const directory = path.join(t.testdir(), 'a', 'b')
  // An error in the background could not be caught, for instance if the directory is deleted meanwhile.
  const later = t.capture(fs, 'mkdir')
  const store = new FileStore({ directory })
  t.equal(store.directory, directory)
  t.ok(fs.statSync(directory).isDirectory())
  t.same(later(), [])
})

t.test('EDGE-62 a directory that cannot be created is an error, at any depth', async (t) => {
  const root = t.testdir({ dangling: t.fixture('symlink', 'nowhere') })
  const places = [path.join(root, 'dangling'), ...process.platform === 'linux' ? ['/proc/uploads'] : []]
  for (const place of places) {
    for (const directory of [place, path.join(place, 'a', 'b')]) {
      t.throws(() => new FileStore({ directory }), { code: 'FST_TUS_DIRECTORY' }, directory)
    }
  }
})

t.test('a directory that another process creates at the same time is used', async (t) => {
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
