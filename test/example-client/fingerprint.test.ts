import t from 'tap'
import type { Edit } from '../../example-client/src/edit/recipe.ts'
import { fingerprint } from '../../example-client/src/fingerprint.ts'
import type { FileLike } from '../../example-client/src/fingerprint.ts'

const size = 5 * 1024 * 1024

function fileOf (bytes: Uint8Array<ArrayBuffer>, about: Partial<FileLike> = {}): FileLike {
  const blob = new Blob([bytes])
  return { name: 'a.mp4', size: blob.size, lastModified: 1, slice: (start, end) => blob.slice(start, end), ...about }
}

function bytesWith (position: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size)
  bytes[position] = 1
  return bytes
}

t.test('the same file has the same fingerprint', async t => {
  const first = await fingerprint(fileOf(bytesWith(7)))
  t.match(first, /^[0-9a-f]{64}$/)
  t.equal(await fingerprint(fileOf(bytesWith(7))), first)
})

t.test('the name, date, size, and bytes at the start, middle and end change the fingerprint', async t => {
  const files = [
    fileOf(new Uint8Array(size)),
    fileOf(new Uint8Array(size), { name: 'b.mp4' }),
    fileOf(new Uint8Array(size), { lastModified: 2 }),
    fileOf(new Uint8Array(size + 1)),
    fileOf(bytesWith(0)),
    fileOf(bytesWith(Math.floor(size / 2))),
    fileOf(bytesWith(size - 1))
  ]
  const fingerprints = await Promise.all(files.map(file => fingerprint(file)))
  t.equal(new Set(fingerprints).size, files.length)
})

t.test('edits are part of the fingerprint', async t => {
  const file = fileOf(bytesWith(7))
  const cuts: Edit[] = [{ op: 'cut', start: 0, end: 3 }, { op: 'cut', start: 0, end: 4 }]
  const recipes: Edit[][] = [[], [{ op: 'faststart' }], ...cuts.map(cut => [cut])]
  const fingerprints = await Promise.all(recipes.map(recipe => fingerprint(file, recipe)))
  t.equal(new Set(fingerprints).size, recipes.length)
})

t.test('files that are shorter than the samples have a fingerprint, even empty ones', async t => {
  const fingerprints = await Promise.all([[], [1], [2]].map(bytes => fingerprint(fileOf(new Uint8Array(bytes)))))
  t.equal(new Set(fingerprints).size, 3)
})

t.test('only the samples of a large file are read', async t => {
  let read = 0
  const file: FileLike = {
    name: 'huge.mp4',
    size: 1e13,
    lastModified: 1,
    slice (start, end) {
      read += end - start
      return new Blob([`${start}`])
    }
  }
  t.match(await fingerprint(file), /^[0-9a-f]{64}$/)
  t.equal(read, 3 * 1024 * 1024)
})

t.test('without hashing, the name, size and date identify a file', async t => {
  const { crypto } = globalThis
  Object.defineProperty(globalThis, 'crypto', { value: {}, configurable: true })
  t.teardown(() => Object.defineProperty(globalThis, 'crypto', { value: crypto, configurable: true }))
  t.equal(await fingerprint(fileOf(new Uint8Array(3))), '["a.mp4",3,1]')
})
