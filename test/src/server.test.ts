import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { readConfig } from '../../src/config.ts'
import { StartError } from '../../src/errors.ts'
import { closeFor, explain, start } from '../../src/server.ts'
import { run } from './process.ts'
import type { Run } from './process.ts'

const tus = { 'tus-resumable': '1.0.0' }

function configOf (t: Test, env: Record<string, string> = {}) {
  return readConfig({ PORT: '0', LOG_LEVEL: 'silent', FILES_DIR: t.testdir(), ...env })
}

async function startProcess (t: Test, env: Record<string, string> = {}): Promise<Run & { endpoint: string }> {
  const server = run('src/cli.ts', [], { FILES_DIR: t.testdir(), ...env })
  t.teardown(() => server.child.kill('SIGKILL'))
  const { endpoint } = JSON.parse(await server.line('ready for uploads')) as { endpoint: string }
  return { ...server, endpoint }
}

t.test('the server listens, prints its address, and can be closed', async t => {
  const { endpoint, page, close } = await start(configOf(t, { PREFIX: '/up' }))
  t.equal(endpoint, `${page}up`)
  t.equal((await fetch(`${page}healthz`)).status, 200)
  t.equal((await fetch(endpoint, { method: 'OPTIONS' })).headers.get('tus-version'), '1.0.0')
  await close()
  await t.rejects(fetch(page))
})

t.test('a crash in native code ends the process', async t => {
  const { child, ended } = await startProcess(t)
  child.kill('SIGSEGV')
  t.match(await ended, { code: null, signal: 'SIGSEGV' })
})

t.test('X-Forwarded headers of trusted proxies are used', async t => {
  const { endpoint, close } = await start(configOf(t, { TRUST_PROXY: '127.0.0.1' }))
  t.teardown(close)
  t.equal((await fetch(endpoint, { method: 'OPTIONS', headers: { 'x-forwarded-host': 'a.example' } })).status, 204)
})

t.test('a failure to listen is reported in one line', async t => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.teardown(() => other.close())
  const { port } = other.address() as AddressInfo
  const directory = t.testdir({ file: '' })

  const cases: [Record<string, string>, RegExp][] = [
    [{ PORT: `${port}`, FILES_DIR: directory }, /^127\.0\.0\.1, port \d+ is in use: .*PORT \(--port\)$/],
    [{ HOST: '192.0.2.1', FILES_DIR: directory }, /^Cannot listen on 192\.0\.2\.1, port 0: HOST \(--host\) must be an address of this machine$/],
    ...['file', 'file/below'].map((name): [Record<string, string>, RegExp] =>
      [{ FILES_DIR: `${directory}/${name}` }, /^FILES_DIR \(--dir\) cannot be used: \/.*\/file is not a directory$/])
  ]
  for (const [env, message] of cases) {
    await t.rejects(start(readConfig({ PORT: '0', LOG_LEVEL: 'silent', ...env })), { name: StartError.name, message })
  }
})

t.test('a prefix that is a route of the server is reported in one line', async (t) => {
  const error = explain(Object.assign(new Error(), { code: 'FST_ERR_DUPLICATED_ROUTE' }), '127.0.0.1, port 80')
  t.match(error.message, /^PREFIX \(--prefix\) is a route of the server itself/)
})

t.test('a privileged port is reported in one line', async t => {
  const error = explain(Object.assign(new Error(), { code: 'EACCES' }), '127.0.0.1, port 80')
  t.ok(error instanceof StartError)
  t.equal(error.message, 'Not allowed to listen on 127.0.0.1, port 80: choose a PORT (--port) of 1024 or above')
})

t.test('any other error is unchanged', async t => {
  const error = new TypeError('a bug')
  t.equal(explain(error, '127.0.0.1, port 80'), error)
})

t.test('an uncaught error is logged before the server closes', async t => {
  const lines: string[] = []
  const server = Fastify({ logger: { stream: { write: (line: string) => { lines.push(line) } } } })
  let closed = false
  server.addHook('onClose', async () => { closed = true })
  await server.ready()
  await closeFor(server, { err: new Error('a bug') })
  t.ok(closed)
  t.match(JSON.parse(lines[0] as string), { level: 60, err: { message: 'a bug' } })
})

t.test('a signal is logged before the server closes', async t => {
  const lines: string[] = []
  const server = Fastify({ logger: { stream: { write: (line: string) => { lines.push(line) } } } })
  await closeFor(server, { signal: 'SIGTERM' })
  t.match(JSON.parse(lines[0] as string), { level: 30, signal: 'SIGTERM' })
})

t.test('SIGINT ends the process with exit code 0', async t => {
  const { child, ended } = await startProcess(t)
  child.kill('SIGINT')
  const { code, stdout, stderr } = await ended
  t.equal(code, 0)
  t.match(stdout, '"signal":"SIGINT"')
  t.equal(stderr, '')
})

t.test('SIGTERM interrupts open bodies and ends the process with exit code 0', async t => {
  const { child, ended, endpoint, line } = await startProcess(t)
  const created = await fetch(endpoint, { method: 'POST', headers: { ...tus, 'upload-length': '10' } })
  const url = new URL(created.headers.get('location') as string, endpoint)

  const patch = request(url, {
    method: 'PATCH',
    headers: { ...tus, 'upload-offset': '0', 'content-length': '10', 'content-type': 'application/offset+octet-stream' }
  })
  const arrived = line('"PATCH"')
  patch.write('hello')
  const responded = once(patch, 'response') as Promise<[IncomingMessage]>
  await arrived
  child.kill('SIGTERM')
  const [response] = await responded
  await text(response)
  t.equal(response.statusCode, 503)
  t.equal((await ended).code, 0)
})

t.test('a failed start ends the process with one line and exit code 1', async t => {
  const { code, stdout, stderr } = await run('src/cli.ts', ['--port', 'abc']).ended
  t.equal(code, 1)
  t.equal(stdout, '')
  t.equal(stderr, 'fastify-tus: PORT (--port) must be an integer from 0 to 65535, not "abc"\n')
})
