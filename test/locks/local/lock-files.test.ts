import { readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { LockFiles } from '../../../plugin/locks/local/lock-files.ts'
import { temporaryDirectory } from '../../helper.ts'

/** The lock files of processes with one-letter names, of which those in `dead` have ended. */
async function processes (t: Test, names: string) {
  const directory = await temporaryDirectory(t)
  const dead = new Set<string>()
  const files = [...names].map((name) => new LockFiles(directory, name, async (name) => !dead.has(name)))
  for (const file of files) await file.open()
  return { directory, dead, files }
}

t.test('the lock of a dead process goes to one of those that want it', async (t) => {
  const { dead, directory, files: [a, ...others] } = await processes(t, 'abcdef')
  t.equal(await a?.take('x'), 'a')
  dead.add('a')
  const owners = await Promise.all(others.map(async (other) => await other.take('x')))
  t.equal(new Set(owners).size, 1)
  t.equal(await readFile(path.join(directory, 'l-x'), 'utf8'), owners[0])
  t.same((await readdir(directory)).filter((file) => file.startsWith('l-')), ['l-x'], 'no trace of the change is left')
})

t.test('a process that dies while it replaces another one does not block the lock', async (t) => {
  const { dead, files: [a, b, c] } = await processes(t, 'abc')
  t.equal(await a?.take('x'), 'a')
  dead.add('a')
  // What `b` leaves if it is killed in the middle.
  t.equal(await b?.take('x.a'), 'b')
  dead.add('b')
  t.equal(await c?.take('x'), 'c')
})

t.test('a lock passes only to a process that runs', async (t) => {
  const { dead, files: [a, b, c] } = await processes(t, 'abc')
  t.equal(await a?.take('x'), 'a')
  t.equal(await a?.handOver('x', 'b'), true)
  t.equal(await a?.take('x'), 'b')
  dead.add('c')
  await c?.close()
  t.equal(await b?.handOver('x', 'c'), false)
  t.equal(await a?.take('x'), 'b')
})

t.test('a new process deletes what dead ones have left', async (t) => {
  const { dead, directory, files: [a, b] } = await processes(t, 'ab')
  for (const lock of ['x', 'y']) t.equal(await a?.take(lock), 'a')
  t.equal(await b?.take('z'), 'b')
  await writeFile(path.join(directory, 's-a'), '')
  dead.add('a')
  await b?.clean()
  t.same((await readdir(directory)).sort(), ['l-z', 'p-b'])
})

t.test('a file system that refuses a lock is not taken for a holder', async (t) => {
  const { files: [a] } = await processes(t, 'a')
  await t.rejects(async () => { await a?.take('x'.repeat(300)) }, { code: 'ENAMETOOLONG' })
})
