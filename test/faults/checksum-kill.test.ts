/**
 * CKSUM-07: the server is killed while it receives a checksummed body, many times, at random moments. `KILLS` sets how
 * often (default 100); `SEED` repeats a run.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import net from 'node:net'
import path from 'node:path'
import { createInterface } from 'node:readline'
import t from 'tap'
import { sampleBytes } from '../helper.ts'
import { dice } from './dice.ts'

const kills = Number(process.env['KILLS'] ?? 100)
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const cli = new URL('../../src/cli.ts', import.meta.url).pathname

async function start (directory: string): Promise<{ server: ChildProcess, port: number }> {
  const env = { ...process.env, PORT: '0', FILES_DIR: directory, LOG_LEVEL: 'info' }
  const server = spawn(process.execPath, ['--import', 'tsx', cli], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const line of createInterface({ input: server.stdout as NodeJS.ReadableStream })) {
    const port = /Server listening at http:\/\/[^:]+:(\d+)/.exec(line)?.[1]
    if (port !== undefined) return { server, port: Number(port) }
  }
  throw new Error('the server did not start')
}

async function head (port: number, location: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}${location}`, {
    method: 'HEAD', headers: { 'tus-resumable': '1.0.0' }
  })
  return Number(response.headers.get('upload-offset'))
}

/** Sends a checksummed PATCH in pieces and kills the server after one of them; returns whether the response was 204. */
async function patchAndKill (
  { server, port }: { server: ChildProcess, port: number }, location: string, offset: number, body: Buffer, at: number
): Promise<boolean> {
  const socket = net.connect(port, '127.0.0.1')
  let reply = ''
  socket.on('data', (data) => { reply += String(data) }).on('error', () => {})
  await once(socket, 'connect')
  const digest = createHash('sha1').update(body).digest('base64')
  socket.write(`PATCH ${location} HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: ${offset}\r\n` +
    'Content-Type: application/offset+octet-stream\r\n' +
    `Upload-Checksum: sha1 ${digest}\r\nContent-Length: ${body.length}\r\n\r\n`)
  const pieces = 16
  for (let piece = 0; piece < pieces; piece++) {
    const from = Math.floor(body.length * piece / pieces)
    socket.write(body.subarray(from, Math.floor(body.length * (piece + 1) / pieces)))
    if (piece === Math.floor(at * (pieces + 4))) break
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  // A kill after the last piece falls into the verification, or after the response.
  if (at * (pieces + 4) >= pieces) await new Promise((resolve) => setTimeout(resolve, Math.floor(at * 20)))
  server.kill('SIGKILL')
  await once(server, 'exit')
  socket.destroy()
  return reply.startsWith('HTTP/1.1 204')
}

t.test(`CKSUM-07 ${kills} kills while a checksummed body is received (SEED=${seed})`, { timeout: 0 }, async (t) => {
  const directory = t.testdir()
  const next = dice(seed)
  const size = kills * 1024 * 1024
  const content = sampleBytes(size)
  let running = await start(directory)
  const created = await fetch(`http://127.0.0.1:${running.port}/files`, {
    method: 'POST', headers: { 'tus-resumable': '1.0.0', 'upload-length': String(size) }
  })
  const location = created.headers.get('location') as string

  let verified = 0
  const count = { acknowledged: 0, verifiedUnheard: 0, dropped: 0 }
  for (let kill = 0; kill < kills; kill++) {
    const body = content.subarray(verified, verified + 1 + Math.floor(next() * 1024 * 1024))
    const acknowledged = await patchAndKill(running, location, verified, body, next())
    running = await start(directory)
    const offset = await head(running.port, location)
    const complete = verified + body.length
    if (acknowledged ? offset !== complete : offset !== complete && offset !== verified) {
      t.fail(`kill ${kill}: the offset is ${offset}, and ${acknowledged ? complete : verified} was verified`)
      break
    }
    count[acknowledged ? 'acknowledged' : offset === complete ? 'verifiedUnheard' : 'dropped']++
    verified = offset
  }
  const stored = await readFile(path.join(directory, path.basename(location)))
  t.ok(stored.subarray(0, verified).equals(content.subarray(0, verified)), 'the counted bytes are those that were sent')
  t.comment(JSON.stringify(count))
  t.ok(count.dropped > 0, 'bodies were cut off')
  running.server.kill('SIGTERM')
  await once(running.server, 'exit')
})
