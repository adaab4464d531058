/* eslint @stylistic/max-len: off -- The names of these tests are long. */
/**
 * Many clients, slow and fast ones, against a server that measures itself: its event loop is never blocked for more
 * than 50 ms, and its memory is released. `CLIENTS` sets their number (default 1000). Times matter: run it on an idle
 * machine.
 */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import { createHash, randomBytes } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import type { Test } from 'tap'
import { type ServerProcess, startServer } from './server-process.ts'

const clients = Number(process.env['CLIENTS'] ?? 1000)
const MAX_BLOCKED = 50
/** How many of them act at the same instant. */
const AT_ONCE = 100
// The clients share the processors of the server: if the system allows it, their CPU time is not measured.
const withPriority = spawnSync('chrt', ['--fifo', '10', 'true']).status === 0 ? ['chrt', '--fifo', '10'] : []
const tus = { 'tus-resumable': '1.0.0' }
const octets = 'application/offset+octet-stream'

// It ends, however long it takes on a machine.
t.setTimeout(0)

async function create (url: string, headers: Record<string, string>): Promise<string> {
  const made = await fetch(`${url}/files`, { method: 'POST', headers: { ...tus, ...headers } })
  await made.text()
  if (made.status !== 201) throw new Error(`not created: ${made.status}`)
  return made.headers.get('location') as string
}

async function upload (url: string, bytes: Buffer, headers: Record<string, string> = {}): Promise<void> {
  const location = await create(url, { 'upload-length': String(bytes.length) })
  const patched = await fetch(url + location, {
    method: 'PATCH', headers: { ...tus, 'content-type': octets, 'upload-offset': '0', ...headers }, body: bytes
  })
  if (patched.status !== 204) throw new Error(`not appended: ${patched.status} ${await patched.text()}`)
  const asked = await fetch(url + location, { method: 'HEAD', headers: tus })
  if (asked.headers.get('upload-offset') !== String(bytes.length)) throw new Error('not complete')
  const deleted = await fetch(url + location, { method: 'DELETE', headers: tus })
  if (deleted.status !== 204) throw new Error(`not deleted: ${deleted.status}`)
}

/** Processes items one after the other, this many concurrently. */
async function each<T> (items: T[], atATime: number, work: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values()
  await Promise.all(Array.from({ length: atATime }, async () => { for (const item of rest) await work(item) }))
}

async function connect (url: string): Promise<net.Socket> {
  const socket = net.connect(Number(new URL(url).port), '127.0.0.1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** Resolves however the connection ends. */
function closed (socket: net.Socket): Promise<void> {
  return new Promise((resolve) => { if (socket.closed) resolve(); else socket.once('close', () => resolve()) })
}

/** Runs one-time work of the server before the measurement: compilation, filling caches. */
async function warmUp ({ url }: ServerProcess): Promise<void> {
  for (let i = 0; i < 200; i++) await upload(url, randomBytes(10_000))
  await upload(url, randomBytes(8 * 1024 * 1024))
}

/** Measures the server during some work, and for some time afterwards until its memory is released. */
async function measured (t: Test, server: ServerProcess, work: () => Promise<void>): Promise<void> {
  const { rss: before } = await server.start()
  await work()
  const { blocked, late, p99 } = await server.measures()
  let after = await server.measures()
  for (let i = 0; i < 40 && (after.rss > before * 1.2 || after.connections > 1); i++) {
    await wait(250)
    after = await server.measures()
  }
  const mib = (bytes: number) => `${Math.round(bytes / 1024 / 1024)} MiB`
  t.comment(`blocked for at most ${blocked.toFixed(1)} ms; late by at most ${late.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms; ` +
    `memory ${mib(before)} -> ${mib(after.rss)}`)
  t.ok(blocked < MAX_BLOCKED, 'the event loop was not blocked')
  t.ok(after.rss <= before * 1.2, 'the memory was released')
  t.equal(after.connections, 1, 'no connection is left but this one')
  t.equal(server.child.exitCode, null, 'it runs')
}

t.test(`EDGE-40 ${clients} clients that send a byte now and then do not slow the server down for others`, { timeout: 0 }, async (t) => {
  const server = await startServer(t, { directory: t.testdir(), durability: 'none' }, withPriority)
  await warmUp(server)
  await measured(t, server, async () => {
    const slow: net.Socket[] = []
    await each(Array.from({ length: clients }), 50, async () => {
      const location = await create(server.url, { 'upload-length': '1000000' })
      const socket = await connect(server.url)
      socket.write(`PATCH ${location} HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n` +
        `Content-Type: ${octets}\r\nContent-Length: 1000000\r\n\r\na`)
      slow.push(socket)
    })
    const trickle = setInterval(() => {
      for (const socket of slow) if (Math.random() < 0.05) socket.write('a')
    }, 50)
    let longest = 0
    for (let i = 0; i < 100; i++) {
      const begun = performance.now()
      await upload(server.url, randomBytes(100_000))
      longest = Math.max(longest, performance.now() - begun)
    }
    clearInterval(trickle)
    // Node.js handles all closed connections of a poll in one turn, and each takes some 50 µs.
    while (slow.length > 0) {
      for (const socket of slow.splice(0, AT_ONCE)) socket.destroy()
      await upload(server.url, randomBytes(100_000))
    }
    t.comment(`meanwhile, 100 uploads of 100 kB; the slowest took ${longest.toFixed(0)} ms`)
  })
  t.equal(await server.stop(), 0)
})

t.test(`EDGE-40 ${clients} clients that send too slowly are closed, and their bytes are kept`, { timeout: 0 }, async (t) => {
  const server = await startServer(t, { directory: t.testdir(), durability: 'none', idleTimeout: 2000 }, withPriority)
  await warmUp(server)
  await measured(t, server, async () => {
    const locations: string[] = []
    const sockets: net.Socket[] = []
    await each(Array.from({ length: clients }), 50, async () => {
      const location = await create(server.url, { 'upload-length': '1000000' })
      const socket = await connect(server.url)
      socket.write(`PATCH ${location} HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n` +
        `Content-Type: ${octets}\r\nContent-Length: 1000000\r\n\r\nabc`)
      locations.push(location)
      sockets.push(socket)
    })
    const trickle = setInterval(() => { for (const socket of sockets) socket.write('a') }, 500)
    await Promise.all(sockets.map(closed))
    clearInterval(trickle)
    let kept = 0
    await each(locations, 50, async (location) => {
      const asked = await fetch(server.url + location, { method: 'HEAD', headers: tus })
      if (asked.status === 200 && Number(asked.headers.get('upload-offset')) >= 3) kept++
    })
    t.equal(kept, clients, 'the received bytes of each are stored')
  })
  t.equal(await server.stop(), 0)
})

t.test('EDGE-40 half a request does not delay complete ones', { timeout: 0 }, async (t) => {
  const server = await startServer(t, { directory: t.testdir(), durability: 'none' }, withPriority)
  await warmUp(server)
  await measured(t, server, async () => {
    const halves: net.Socket[] = []
    await each(Array.from({ length: clients }), 50, async () => {
      const socket = await connect(server.url)
      socket.write('PATCH /files/a HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0')
      halves.push(socket)
    })
    for (let i = 0; i < 50; i++) await upload(server.url, randomBytes(100_000))
    while (halves.length > 0) {
      for (const socket of halves.splice(0, AT_ONCE)) socket.destroy()
      await upload(server.url, randomBytes(100_000))
    }
  })
  t.equal(await server.stop(), 0)
})

t.test('EDGE-44 concurrent large bodies, with checksums of every kind', { timeout: 0 }, async (t) => {
  const server = await startServer(t, { directory: t.testdir(), durability: 'none' }, withPriority)
  await warmUp(server)
  const bytes = randomBytes(24 * 1024 * 1024)
  const checksums = ['sha1', 'md5', 'sha256', 'sha512', 'sha3-512', 'blake2b512'].map((name) =>
    ({ 'upload-checksum': `${name} ${createHash(name).update(bytes).digest('base64')}` }))
  for (let i = 0; i < 2; i++) await each(checksums, 3, async (headers) => await upload(server.url, bytes, headers))
  await measured(t, server, async () => {
    await each([...checksums, ...checksums], 6, async (headers) => await upload(server.url, bytes, headers))
  })
  t.equal(await server.stop(), 0)
})

t.test('EDGE-73 EDGE-75 a flood of creations, and finals of as many parts as a request can name', { timeout: 0 }, async (t) => {
  const server = await startServer(t, {
    directory: t.testdir(), durability: 'none', maxUploads: 1000, expiration: { period: 3_600_000 }
  }, withPriority)
  await warmUp(server)
  await measured(t, server, async () => {
    const statuses = new Map<number, number>()
    await each(Array.from({ length: 5000 }), AT_ONCE, async () => {
      const made = await fetch(`${server.url}/files`, { method: 'POST', headers: { ...tus, 'upload-length': '10' } })
      await made.text()
      statuses.set(made.status, (statuses.get(made.status) ?? 0) + 1)
    })
    t.same([...statuses].sort(), [[201, 1000], [503, 4000]])
    const metadata = `a ${'YWFh'.repeat(2000)}`
    const concat = `final;${'/files/a '.repeat(1700)}`
    await each(Array.from({ length: 500 }, (_, i) => i), 20, async (i) => {
      const headers = i % 2 === 0 ? { 'upload-concat': concat } : { 'upload-length': '1', 'upload-metadata': metadata }
      const made = await fetch(`${server.url}/files`, { method: 'POST', headers: { ...tus, ...headers } })
      await made.text()
      if (![400, 503].includes(made.status)) throw new Error(`the status is ${made.status}`)
    })
  })
  t.equal(await server.stop(), 0)
})
