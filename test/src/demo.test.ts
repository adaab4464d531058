import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { run } from './process.ts'

function leftIn (directory: string): string[] {
  return readdirSync(directory).filter(name => name.startsWith('fastify-tus'))
}

t.test('the demo sends a file through a server crash and verifies that it is identical', async t => {
  const directory = t.testdir({ tmp: {} })
  const path = join(directory, 'small.bin')
  writeFileSync(path, Buffer.from(Array.from({ length: 100_000 }, (_, index) => index * index % 251)))
  const { code, stdout, stderr } = await run('src/demo.ts', [path], { TMPDIR: join(directory, 'tmp') }).ended
  t.equal(stderr, '')
  t.equal(code, 0)
  t.match(stdout, /^8\. Comparing/m)
  t.match(stdout, /^OK: /m)
  const hashes = [...stdout.matchAll(/SHA-256 ([0-9a-f]{64})/g)].map(([, hash]) => hash)
  t.equal(hashes.length, 3)
  t.equal(new Set(hashes).size, 1)
  t.same(leftIn(join(directory, 'tmp')), [])
})

t.test('Ctrl-C ends the demo and leaves nothing running', async t => {
  const TMPDIR = join(t.testdir(), 'tmp')
  mkdirSync(TMPDIR)
  const demo = run('src/demo.ts', [], { TMPDIR })
  const [endpoint] = /http:.*$/.exec(await demo.line('2. Started a server')) as string[]
  demo.child.kill('SIGINT')
  t.equal((await demo.ended).code, 130)
  t.same(leftIn(TMPDIR), [])
  await t.rejects(fetch(endpoint as string), 'the server has ended')
})

t.test('a file that does not exist is reported in one line', async t => {
  const { code, stdout, stderr } = await run('src/demo.ts', ['/does/not/exist']).ended
  t.equal(code, 1)
  t.equal(stdout, '')
  t.equal(stderr, 'No such file: /does/not/exist\n')
})
