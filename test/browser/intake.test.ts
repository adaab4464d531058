import t from 'tap'
import { fromDrop } from '../../example-client/src/intake.ts'

/** A fake of the folder of a browser, because no real disk fails in the middle of a listing. */
function folder (name: string, within: () => AsyncIterable<unknown>): unknown {
  return { kind: 'directory', name, values: within }
}

function file (name: string): unknown {
  return { kind: 'file', name, getFile: async () => new File(['abc'], name) }
}

async function namesIn (...handles: unknown[]): Promise<string[]> {
  const items = handles.map(handle => ({
    kind: 'file', getAsFile: () => null, webkitGetAsEntry: () => null, getAsFileSystemHandle: async () => handle
  }))
  const names = []
  for await (const found of fromDrop({ items } as never)) {
    for (const each of found) names.push(typeof each === 'string' ? `${each}?` : each.file.name)
  }
  return names
}

t.test('a folder that cannot be listed completely is named, and all other files are taken', async t => {
  const broken = folder('broken', async function * () {
    yield file('first')
    throw new Error('gone')
  })
  const parent = folder('parent', async function * () {
    yield broken
    yield file('second')
  })
  const whole = folder('whole', async function * () { yield file('third') })
  t.same(await namesIn(parent, whole), ['first', 'broken?', 'second', 'third'])
})

t.test('a folder that cannot be listed is named in a browser without handles', async t => {
  const entry = {
    isDirectory: true,
    name: 'broken',
    createReader: () => ({
      readEntries: (_found: unknown, failed: (error: Error) => void) => failed(new Error('gone'))
    })
  }
  const item = { kind: 'file', getAsFile: () => null, webkitGetAsEntry: () => entry }
  const found = []
  for await (const each of fromDrop({ items: [item] } as never)) found.push(...each)
  t.same(found, ['broken'])
})
