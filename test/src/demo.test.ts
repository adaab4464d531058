import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { isOpen } from '../../src/demo/engines/start.ts'
import { skipWithout } from '../engines/skip.ts'
import { until } from '../helper.ts'
import { run, type Run } from './process.ts'

const s3 = { skip: skipWithout('versitygw') }

/** A file whose bytes differ. */
function makeFile (directory: string): string {
  const path = join(directory, 'small.bin')
  writeFileSync(path, Buffer.from(Array.from({ length: 100_000 }, (_, index) => index * index % 251)))
  return path
}

/** The ports of all processes that the demo has printed. */
function portsIn (stdout: string): number[] {
  return [...stdout.matchAll(/\/\/127\.0\.0\.1:(\d+)/g)].map(([, port]) => Number(port))
}

async function checkClosed (ports: number[]): Promise<void> {
  for (const port of ports) await until(async () => !await isOpen(port))
}

function runDemo (directory: string, ...args: string[]): Run {
  return run('src/demo.ts', args, { TMPDIR: join(directory, 'tmp') })
}

function leftIn (directory: string): string[] {
  return readdirSync(join(directory, 'tmp')).filter(name => name.startsWith('fastify-tus'))
}

function checkHashes (t: Test, stdout: string): void {
  const hashes = [...stdout.matchAll(/SHA-256 ([0-9a-f]{64})/g)].map(([, hash]) => hash)
  t.equal(hashes.length, 3)
  t.equal(new Set(hashes).size, 1)
}

t.test('the demo sends a file through a server crash and verifies that it is identical', async t => {
  const directory = t.testdir({ tmp: {} })
  const { code, stdout, stderr } = await runDemo(directory, makeFile(directory)).ended
  t.equal(stderr, '')
  t.equal(code, 0)
  t.match(stdout, /^8\. Comparing/m)
  t.match(stdout, /^OK: /m)
  checkHashes(t, stdout)
  t.same(leftIn(directory), [])
})

t.test('Ctrl-C ends the demo and leaves nothing running', async t => {
  const directory = t.testdir({ tmp: {} })
  const demo = runDemo(directory)
  const [endpoint] = /http:.*$/.exec(await demo.line('2. Started a server')) as string[]
  demo.child.kill('SIGINT')
  t.equal((await demo.ended).code, 130)
  t.same(leftIn(directory), [])
  await t.rejects(fetch(endpoint as string), 'the server has ended')
})

t.test('a file that does not exist is reported in one line', async t => {
  const { code, stdout, stderr } = await run('src/demo.ts', ['/does/not/exist']).ended
  t.equal(code, 1)
  t.equal(stdout, '')
  t.equal(stderr, 'No such file: /does/not/exist\n')
})

t.test('an unknown option is reported in one line', async t => {
  const { code, stderr } = await run('src/demo.ts', ['--custer']).ended
  t.equal(code, 1)
  t.match(stderr, /^Unknown option '--custer'.*\n$/)
})

t.test('the cluster delivers a file although each of its servers crashes', s3, async t => {
  const directory = t.testdir({ tmp: {} })
  const { code, stdout, stderr } = await runDemo(directory, '--cluster', makeFile(directory)).ended
  t.equal(stderr, '')
  t.equal(code, 0)
  t.same([...stdout.matchAll(/^\d+\. Killed (\w)/gm)].map(([, name]) => name).sort(), ['A', 'B', 'C'])
  checkHashes(t, stdout)
  t.same(leftIn(directory), [])
  await checkClosed(portsIn(stdout))
})

t.test('Ctrl-C ends all processes of the cluster', s3, async t => {
  const directory = t.testdir({ tmp: {} })
  const demo = runDemo(directory, '--cluster', makeFile(directory))
  await demo.line('Started a load balancer')
  demo.child.kill('SIGINT')
  const { code, stdout } = await demo.ended
  t.equal(code, 130)
  t.same(leftIn(directory), [])
  const ports = portsIn(stdout)
  t.ok(ports.length >= 5, 'an S3 server, three servers, the load balancer, and perhaps Redis')
  await checkClosed(ports)
})

t.test('a missing S3 server is reported in one line', async t => {
  const args = ['--cluster', makeFile(t.testdir())]
  const { code, stdout, stderr } = await run('src/demo.ts', args, { VERSITYGW_PATH: '/does/not/exist' }).ended
  t.equal(code, 1)
  t.equal(stdout, '')
  t.equal(stderr, 'versitygw is not installed: run "npm run engines", or set VERSITYGW_PATH\n')
})
