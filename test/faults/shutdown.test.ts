/** The runnable server is stopped while it receives bodies. `BODIES` sets their number (default 100). */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdir, stat } from 'node:fs/promises'
import path from 'node:path'
import t, { type Test } from 'tap'
import { OFFSET_OCTET_STREAM, sampleBytes, until } from '../helper.ts'
import { rawRequest, type RawRequest } from '../raw-request.ts'
import { run, type Run } from '../src/process.ts'

const bodies = Number(process.env['BODIES'] ?? 100)
const version = { 'tus-resumable': '1.0.0' }
const content = sampleBytes(1024 * 1024)

async function start (directory: string): Promise<{ run: Run, base: string }> {
  const server = run('src/cli.ts', [], { FILES_DIR: directory, LOG_LEVEL: 'info' })
  const { endpoint } = JSON.parse(await server.line('ready for uploads')) as { endpoint: string }
  return { run: server, base: new URL(endpoint).origin }
}

async function create (base: string): Promise<string> {
  const headers = { ...version, 'upload-length': String(content.length) }
  const { headers: reply } = await fetch(`${base}/files`, { method: 'POST', headers })
  return String(reply.get('location'))
}

function patchHeaders (offset: number): Record<string, string> {
  const length = String(content.length - offset)
  return { ...version, 'content-type': OFFSET_OCTET_STREAM, 'upload-offset': String(offset), 'content-length': length }
}

/** Begins a body and sends a part of it; every other body continues, piece by piece, as long as the server reads it. */
async function begin (t: Test, base: string, location: string, number: number): Promise<RawRequest> {
  const first = 10_000 + number
  const body = await rawRequest(t, base, 'PATCH', location, patchHeaders(0), content.subarray(0, first))
  body.socket.on('error', () => {})
  if (number % 2 === 0) resume(body, first)
  return body
}

function resume ({ socket }: RawRequest, from: number): void {
  const piece = 1000
  socket.write(content.subarray(from, from + piece), (error) => {
    // It does not end on its own: the last piece is not sent.
    const next = Math.min(from + piece, content.length - 2 * piece)
    if (!error && next > from) setTimeout(() => resume({ socket } as RawRequest, next), 5)
  })
}

t.test(`LOCK-08 ${bodies} bodies end with SIGTERM, and all can be resumed`, { timeout: 0 }, async (t) => {
  const directory = path.join(t.testdir(), 'files')
  await mkdir(directory)
  const first = await start(directory)
  const locations: string[] = []
  for (let i = 0; i < bodies; i++) locations.push(await create(first.base))
  const running = await Promise.all(locations.map((location, i) => begin(t, first.base, location, i)))
  const size = async (location: string) => (await stat(path.join(directory, path.basename(location)))).size
  for (const [i, location] of locations.entries()) await until(async () => await size(location) >= 10_000 + i)

  const began = performance.now()
  first.run.child.kill('SIGTERM')
  await once(first.run.child, 'exit')
  t.comment(`SIGTERM to the end of the process: ${Math.round(performance.now() - began)} ms`)
  t.match(await first.run.ended, { code: 0, signal: null, stderr: /^$/ })

  const offsets: number[] = []
  for (const [i, { response }] of running.entries()) {
    const { status, headers, body } = await response
    assert.equal(status, 503)
    assert.equal(headers['connection'], 'close')
    assert.equal((JSON.parse(body) as { code: string }).code, 'FST_TUS_SHUTDOWN')
    const offset = Number(headers['upload-offset'])
    assert(i % 2 === 0 ? offset >= 10_000 + i : offset === 10_000 + i, `${offset} bytes of body ${i} were kept`)
    offsets.push(offset)
  }
  t.pass('received bytes are kept, and every response has their offset')

  const second = await start(directory)
  for (const [i, location] of locations.entries()) {
    const url = second.base + location
    const head = await fetch(url, { method: 'HEAD', headers: version })
    assert.equal(Number(head.headers.get('upload-offset')), offsets[i])
    const offset = offsets[i] as number
    const patch = await fetch(url, { method: 'PATCH', headers: patchHeaders(offset), body: content.subarray(offset) })
    assert.equal(patch.status, 204)
    assert(Buffer.from(await (await fetch(url)).arrayBuffer()).equals(content), location)
  }
  t.pass('all were resumed with the right bytes')
  second.run.child.kill('SIGTERM')
  t.match(await second.run.ended, { code: 0 })
})
