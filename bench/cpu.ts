/**
 * What the server's processor does for a gigabyte, ours beside `@tus/server` on node:http and in Fastify, in turns in
 * one run: `npm run bench`. A ratio of two servers in one run says something; the seconds alone do not.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' } } })
const rounds = Number(values.rounds)
const MIB = 1024 * 1024

/** Bodies of so many bytes, one after the other, so often, to as many uploads at the same time. */
const works = {
  'W1 one PATCH of 256 MiB': { body: 256 * MIB, times: 1, uploads: 1 },
  'W2 8 uploads of 32 MiB, 5 MiB a PATCH': { body: 5 * MIB, times: 6, uploads: 8 },
  'W3 8 uploads of 4 MiB, 64 KiB a PATCH': { body: 64 * 1024, times: 64, uploads: 8 }
}
const servers = ['ours', 'ours, durability none', '@tus/server', '@tus/server in Fastify']

interface Running { child: ChildProcess, port: number, pid: number }

async function start (server: string, directory: string): Promise<Running> {
  const child = fork(new URL('./server.ts', import.meta.url), [server, directory], { execArgv: ['--import', 'tsx'] })
  const [port] = await once(child, 'message') as [number]
  return { child, port, pid: child.pid as number }
}

/** Processor seconds of a process, in user and system mode. */
async function cpuSeconds (pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / 100
}

interface Answer { status: number, header: (name: string) => string }

/** One answer over a kept connection. */
async function ask (socket: net.Socket, head: string, body?: Buffer): Promise<Answer> {
  socket.cork()
  socket.write(head)
  if (body !== undefined) socket.write(body)
  socket.uncork()
  let text = ''
  while (!text.includes('\r\n\r\n')) {
    const [data] = await once(socket, 'data') as [Buffer]
    text += data.toString('latin1')
  }
  const header = (name: string) => new RegExp(`^${name}: (.*)\r$`, 'mi').exec(text)?.[1] ?? ''
  return { status: Number(text.slice(9, 12)), header }
}

async function upload (port: number, body: Buffer, times: number): Promise<void> {
  const socket = net.connect(port, '127.0.0.1').setNoDelay()
  await once(socket, 'connect')
  const common = 'Host: localhost\r\nTus-Resumable: 1.0.0\r\n'
  const created = await ask(socket,
    `POST /files HTTP/1.1\r\n${common}Upload-Length: ${body.length * times}\r\nContent-Length: 0\r\n\r\n`)
  if (created.status !== 201) throw new Error(`POST answered ${created.status}`)
  const location = new URL(created.header('location'), 'http://localhost').pathname
  for (let time = 0; time < times; time++) {
    const { status, header } = await ask(socket, `PATCH ${location} HTTP/1.1\r\n${common}` +
      `Upload-Offset: ${time * body.length}\r\nContent-Type: application/offset+octet-stream\r\n` +
      `Content-Length: ${body.length}\r\n\r\n`, body)
    if (status !== 204 || Number(header('upload-offset')) !== (time + 1) * body.length) {
      throw new Error(`PATCH answered ${status}, offset ${header('upload-offset')}`)
    }
  }
  socket.destroy()
}

async function measure (server: string, { body, times, uploads }: (typeof works)[keyof typeof works]): Promise<number> {
  const directory = await mkdtemp(path.join(tmpdir(), 'bench-'))
  const running = await start(server, directory)
  const bytes = Buffer.alloc(body, 'fastify-tus')
  await upload(running.port, bytes.subarray(0, 1024), 1)
  const before = await cpuSeconds(running.pid)
  await Promise.all(Array.from({ length: uploads }, () => upload(running.port, bytes, times)))
  const seconds = await cpuSeconds(running.pid) - before
  running.child.kill()
  await once(running.child, 'exit')
  await rm(directory, { recursive: true })
  return seconds / (body * times * uploads / 1024 / MIB)
}

function median (numbers: number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN
}

await stat('/proc/self/stat').catch(() => { throw new Error('the benchmark reads /proc: it runs on Linux') })
for (const [name, work] of Object.entries(works)) {
  const results = new Map<string, number[]>(servers.map((server) => [server, []]))
  for (let round = 0; round < rounds; round++) {
    for (const server of servers) results.get(server)?.push(await measure(server, work))
  }
  const ours = median(results.get('ours') ?? [])
  console.log(`\n${name}: server CPU seconds per GiB, ${rounds} rounds`)
  for (const [server, numbers] of results) {
    const range = `${Math.min(...numbers).toFixed(2)} to ${Math.max(...numbers).toFixed(2)}`
    const ratio = (median(numbers) / ours).toFixed(1)
    console.log(`  ${server.padEnd(24)} median ${median(numbers).toFixed(2)} (${range}), ${ratio} times ours`)
  }
}
