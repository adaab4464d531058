/* eslint @stylistic/max-len: off -- The names of these tests are long. */
/**
 * What the system refuses: EDGE-45, PATCH-11. Real refusals, of a small tmpfs, of limits of a process, of permissions;
 * those that need root, or `prlimit`, are left out by name where there is none. Only EIO comes from an injected `fs`.
 */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import nodeFs from 'node:fs'
import fs from 'node:fs/promises'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { FileStore } from '../../plugin/index.ts'
import { type FileSystem, fileSystem, type OpenFile } from '../../plugin/stores/file-system.ts'
import { build, OFFSET_OCTET_STREAM, sampleBytes, until } from '../helper.ts'
import { startServer } from './server-process.ts'

const MIB = 1024 * 1024

function run (command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** An app that keeps no files open between requests, which would outlive the permission to open them. */
async function buildOn (t: Test, directory: string) {
  const app = await build(t, { datastore: new FileStore({ directory }) })
  return { ...app, stored: (location: string) => fs.readFile(path.join(directory, path.basename(location))) }
}

/** A file system of its own, and a way to mount it anew with other options. */
function mount (t: Test, options: string): { directory: string, remount: (options: string) => void } {
  const directory = nodeFs.mkdtempSync(path.join(tmpdir(), 'disk-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', directory])
  t.teardown(async () => {
    execFileSync('umount', ['-l', directory])
    await fs.rmdir(directory)
  })
  return {
    directory,
    remount: (options) => { execFileSync('mount', ['-o', `remount,${options}`, directory]) }
  }
}

const canMount = process.getuid?.() === 0 && (() => {
  const directory = nodeFs.mkdtempSync(path.join(tmpdir(), 'mount-'))
  const can = run('mount', '-t', 'tmpfs', 'tmpfs', directory)
  if (can) run('umount', directory)
  nodeFs.rmdirSync(directory)
  return can
})()
const withMount = { skip: canMount ? false : 'mounting is not allowed here' }
const withPrlimit = { skip: run('prlimit', '--version') ? false : 'there is no prlimit here' }
const asRoot = { skip: process.getuid?.() === 0 ? false : 'only root can be somebody else' }

/** The names in a directory that belong to no upload of these. */
async function strays (directory: string, locations: string[]): Promise<string[]> {
  const ids = locations.map((location) => path.basename(location))
  return (await fs.readdir(directory)).filter((name) => !ids.includes(name.replace(/\.json$/, '')))
}

/** Every error that a client gets is short, and says nothing about the machine. */
function isClear (t: Test, { body, statusCode }: { body: string, statusCode: number }, code: string, status: number): void {
  t.equal(statusCode, status)
  t.equal((JSON.parse(body) as { code: string }).code, code)
  t.ok(body.length < 200)
  t.notMatch(body, /\bE[A-Z]{4,}\b|\/disk|errno|syscall/)
}

t.test('EDGE-45 a disk that is full answers 507, keeps what fitted, and the upload goes on when there is room', withMount, async (t) => {
  const disk = mount(t, 'size=1m')
  const { directory } = disk
  const { create, patch, head, post, stored } = await build(t, { directory })
  const bytes = sampleBytes(3 * MIB)
  const other = await create(1000)
  t.equal((await patch(other, 0, bytes.subarray(0, 600))).statusCode, 204)
  const location = await create(bytes.length)

  const refused = await patch(location, 0, bytes)
  isClear(t, refused, 'FST_TUS_INSUFFICIENT_STORAGE', 507)
  const { headers } = await head(location)
  const offset = Number(headers['upload-offset'])
  t.ok(offset > MIB / 2 && offset < MIB, `${offset} bytes fitted`)
  t.equal(refused.headers['upload-offset'], String(offset), 'which the answer told')
  t.ok((await stored(location)).equals(bytes.subarray(0, offset)))

  isClear(t, await post({ 'upload-length': '10' }), 'FST_TUS_INSUFFICIENT_STORAGE', 507)
  isClear(t, await post({ 'upload-length': '10', 'content-type': OFFSET_OCTET_STREAM }, 'abc'), 'FST_TUS_INSUFFICIENT_STORAGE', 507)
  t.same(await strays(directory, [other, location]), [], 'nothing half-made is left')
  t.equal((await head(other)).headers['upload-offset'], '600')
  t.ok((await stored(other)).equals(bytes.subarray(0, 600)), 'the other one is unharmed')

  disk.remount('size=8m')
  t.equal((await patch(location, offset, bytes.subarray(offset))).statusCode, 204)
  t.ok((await stored(location)).equals(bytes))
  t.equal((await patch(other, 600, bytes.subarray(600, 1000))).statusCode, 204)
  t.ok((await stored(other)).equals(bytes.subarray(0, 1000)))
})

t.test('EDGE-45 a full disk under a checksummed body, and under a concatenation', withMount, async (t) => {
  const disk = mount(t, 'size=1m')
  const { directory } = disk
  const { create, patch, head, post, stored } = await build(t, { directory })
  const bytes = sampleBytes(2 * MIB)
  const partial = { 'upload-concat': 'partial' }
  const parts = [await create(400_000, partial), await create(400_000, partial)] as [string, string]
  for (const part of parts) t.equal((await patch(part, 0, bytes.subarray(0, 400_000))).statusCode, 204)
  const location = await create(bytes.length)

  isClear(t, await post({ 'upload-concat': `final;${parts.join(' ')}` }), 'FST_TUS_INSUFFICIENT_STORAGE', 507)
  t.same(await strays(directory, [...parts, location]), [], 'nothing half-made is left')
  // The right digest does not matter: it is never verified.
  const checked = await patch(location, 0, bytes, { 'upload-checksum': 'sha1 AAAAAAAAAAAAAAAAAAAAAAAAAAA=' })
  isClear(t, checked, 'FST_TUS_INSUFFICIENT_STORAGE', 507)
  t.equal((await head(location)).headers['upload-offset'], '0', 'what cannot be verified does not count')
  t.same(await strays(directory, [...parts, location]), [])

  disk.remount('size=8m')
  const final = await post({ 'upload-concat': `final;${parts.join(' ')}` })
  t.equal(final.statusCode, 201)
  t.equal((await stored(final.headers.location as string)).length, 800_000)
  t.equal((await patch(location, 0, bytes)).statusCode, 204)
  t.ok((await stored(location)).equals(bytes))
})

t.test('EDGE-45 a disk without a free inode refuses creations, and nothing else', withMount, async (t) => {
  const disk = mount(t, 'size=8m,nr_inodes=9')
  const { directory } = disk
  const { create, patch, post, request, stored } = await build(t, { directory })
  const made: string[] = []
  let refused = await post({ 'upload-length': '3' })
  while (refused.statusCode === 201) {
    made.push(refused.headers.location as string)
    refused = await post({ 'upload-length': '3' })
  }
  isClear(t, refused, 'FST_TUS_INSUFFICIENT_STORAGE', 507)
  t.same(await strays(directory, made), [])
  t.equal((await patch(made[0] as string, 0, 'abc')).statusCode, 204)
  t.equal((await stored(made[0] as string)).toString(), 'abc')
  t.equal((await request('DELETE', made.pop() as string)).statusCode, 204)
  made.push(await create(3))
  t.same(await strays(directory, made), [])
})

t.test('EDGE-45 a file system that became read-only answers 503, and HEAD still tells the offset', withMount, async (t) => {
  const disk = mount(t, 'size=8m')
  const { directory } = disk
  const { create, patch, head, post, request, stored } = await buildOn(t, directory)
  const location = await create(6)
  t.equal((await patch(location, 0, 'abc')).statusCode, 204)
  disk.remount('ro')
  for (const answer of [
    await patch(location, 3, 'def'),
    await patch(location, 3, 'def', { 'upload-checksum': 'sha1 AAAAAAAAAAAAAAAAAAAAAAAAAAA=' }),
    await post({ 'upload-length': '3' }),
    await request('DELETE', location)
  ]) {
    isClear(t, answer, 'FST_TUS_STORE_UNAVAILABLE', 503)
    t.equal(answer.headers['retry-after'], '1')
  }
  const asked = await head(location)
  t.match({ status: asked.statusCode, ...asked.headers }, { status: 200, 'upload-offset': '3' })
  disk.remount('rw')
  t.same(await strays(directory, [location]), [])
  t.equal((await patch(location, 3, 'def')).statusCode, 204)
  t.equal((await stored(location)).toString(), 'abcdef')
})

t.test('EDGE-45 a directory and a file without permission answer 503, and never 404', asRoot, async (t) => {
  const directory = t.testdir()
  const { create, patch, head, post, request, stored } = await buildOn(t, directory)
  const location = await create(6)
  t.equal((await patch(location, 0, 'abc')).statusCode, 204)
  const file = path.join(directory, path.basename(location))
  const nobody = 65534
  t.teardown(() => process.seteuid?.(0))

  await fs.chmod(directory, 0o755)
  process.seteuid?.(nobody)
  isClear(t, await post({ 'upload-length': '3' }), 'FST_TUS_STORE_UNAVAILABLE', 503)
  isClear(t, await patch(location, 3, 'def'), 'FST_TUS_STORE_UNAVAILABLE', 503)
  isClear(t, await request('DELETE', location), 'FST_TUS_STORE_UNAVAILABLE', 503)
  t.equal((await head(location)).headers['upload-offset'], '3')

  process.seteuid?.(0)
  await fs.chmod(`${file}.json`, 0o600)
  process.seteuid?.(nobody)
  t.equal((await head(location)).statusCode, 423, 'not known is not gone')
  isClear(t, await patch(location, 3, 'def'), 'FST_TUS_STORE_UNAVAILABLE', 503)

  process.seteuid?.(0)
  t.same(await strays(directory, [location]), [])
  t.equal((await patch(location, 3, 'def')).statusCode, 204)
  t.equal((await stored(location)).toString(), 'abcdef')
})

t.test('EDGE-45 a limit on the size of files (RLIMIT_FSIZE) answers 507, and ends no process', withPrlimit, async (t) => {
  const directory = t.testdir()
  const server = await startServer(t, { directory }, ['prlimit', `--fsize=${MIB}:`])
  const tus = { 'tus-resumable': '1.0.0' }
  const create = async (length: number) => {
    const made = await fetch(`${server.url}/files`, { method: 'POST', headers: { ...tus, 'upload-length': String(length) } })
    return made.headers.get('location') as string
  }
  const patch = async (location: string, offset: number, body: Buffer) => await fetch(server.url + location, {
    method: 'PATCH', body, headers: { ...tus, 'content-type': OFFSET_OCTET_STREAM, 'upload-offset': String(offset) }
  })
  const head = async (location: string) =>
    (await fetch(server.url + location, { method: 'HEAD', headers: tus })).headers.get('upload-offset')
  // Less than a server reads away behind an answer: the client gets it.
  const bytes = sampleBytes(1.5 * MIB)
  const location = await create(bytes.length)
  const refused = await patch(location, 0, bytes)
  isClear(t, { statusCode: refused.status, body: await refused.text() }, 'FST_TUS_INSUFFICIENT_STORAGE', 507)
  t.equal(await head(location), String(MIB))
  const other = await create(MIB)
  t.equal((await patch(other, 0, bytes.subarray(0, MIB))).status, 204, 'the others go on')

  execFileSync('prlimit', [`--pid=${server.child.pid}`, '--fsize=unlimited:'])
  t.equal((await patch(location, MIB, bytes.subarray(MIB))).status, 204)
  t.ok((await fs.readFile(path.join(directory, path.basename(location)))).equals(bytes))
  t.same(await strays(directory, [location, other]), [])
  t.equal(await server.stop(), 0)
})

async function openFilesOf (pid: number | undefined): Promise<string[]> {
  const directory = `/proc/${pid}/fd`
  const names = await fs.readdir(directory)
  return await Promise.all(names.map((name) => fs.readlink(path.join(directory, name)).catch(() => '')))
}

t.test('EDGE-45 a process without a free file descriptor answers 503, and HEAD never 5xx', withPrlimit, async (t) => {
  const directory = t.testdir()
  const server = await startServer(t, { directory, idleTimeout: 0 }, ['prlimit', '--nofile=120:120'])
  const { port } = new URL(server.url)
  const sockets: net.Socket[] = []
  const connect = async () => {
    const socket = net.connect(Number(port), '127.0.0.1')
    await once(socket, 'connect')
    socket.on('error', () => {})
    sockets.push(socket)
    return socket
  }
  /** Asks over a connection that is there. */
  const ask = async (socket: net.Socket, head: string, body = ''): Promise<string> => {
    socket.write(`${head} HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\n` +
      (body === '' ? '' : `Content-Type: ${OFFSET_OCTET_STREAM}\r\n`) + `Upload-Length: 6\r\nUpload-Offset: 0\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
    const [data] = await once(socket, 'data')
    return String(data)
  }
  const first = await connect()
  const created = await ask(first, 'POST /files')
  const location = /^location: (.*)$/mi.exec(created)?.[1] as string
  // An open file is kept for the next append for a moment.
  await until(async () => !(await openFilesOf(server.child.pid)).includes(path.join(directory, path.basename(location))))
  // Idle ones take what is left. Node.js itself would raise a soft limit, so it is a hard one.
  for (let i = 0; i < 150; i++) await connect()

  const statuses = new Map<string, number>()
  for (let i = 0; i < 20; i++) {
    const answer = await ask(first, 'POST /files')
    const status = answer.slice(9, 12)
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
    if (status === '503') t.match(answer, 'FST_TUS_STORE_UNAVAILABLE')
  }
  t.same([...statuses.keys()], ['503'])
  t.equal((await ask(first, `HEAD ${location}`)).slice(9, 12), '200', 'its record is at hand')
  t.match(await ask(first, `PATCH ${location}`, 'abc'), /^HTTP\/1\.1 503/)
  t.same(await strays(directory, [location]), [])

  // The connection of the refused body may be closed: a new one, once there is room.
  for (const socket of sockets) socket.destroy()
  await Promise.all(sockets.map((socket) => socket.closed || once(socket, 'close')))
  let answer = ''
  while (!answer.startsWith('HTTP/1.1 204')) {
    const socket = await connect()
    // It may still be one too many, and closed at once.
    answer = await Promise.race([ask(socket, `PATCH ${location}`, 'abcdef').catch(() => ''), once(socket, 'close').then(() => '')])
  }
  t.equal(await fs.readFile(path.join(directory, path.basename(location)), 'utf8'), 'abcdef')
  t.equal(await server.stop(), 0)
})

/** A file system of which calls fail with EIO while `broken` says so. */
function failing (isBroken: (call: string) => boolean): FileSystem {
  const guard = <T extends object> (target: T): T => new Proxy(target, {
    get (of, name) {
      const value = Reflect.get(of, name) as ((...args: unknown[]) => unknown) | undefined
      if (value === undefined) return undefined
      if (['close', 'prepareDirectory', 'createReadStream'].includes(String(name))) return value.bind(of)
      return async (...args: unknown[]) => {
        if (isBroken(String(name))) throw Object.assign(new Error(`EIO: i/o error, ${String(name)}`), { code: 'EIO' })
        const result = await value.apply(of, args)
        return name === 'open' ? guard(result as OpenFile) : result
      }
    }
  })
  return guard(fileSystem)
}

const calls = ['open', 'writev', 'datasync', 'stat', 'readFile', 'rename', 'unlink', 'truncate']
for (const call of calls) {
  t.test(`EDGE-45 EIO of ${call} is answered with 503 or 423, and all goes on when it is over`, async (t) => {
    const directory = t.testdir()
    let broken = ''
    const store = new FileStore({ directory, fs: failing((name) => name === broken) })
    const { create, patch, head, post, request } = await build(t, { datastore: store })
    const bytes = sampleBytes(100_000)
    const file = (location: string) => fs.readFile(path.join(directory, path.basename(location)))
    const location = await create(bytes.length)
    const other = await create(6)
    t.equal((await patch(other, 0, 'abc')).statusCode, 204)
    t.equal((await patch(location, 0, bytes.subarray(0, 40_000))).statusCode, 204)

    broken = call
    const answers = {
      PATCH: await patch(location, 40_000, bytes.subarray(40_000)),
      HEAD: await head(location),
      POST: await post({ 'upload-length': '3' })
    }
    for (const [method, answer] of Object.entries(answers)) {
      const fine = method === 'HEAD' ? [200, 423] : [201, 204, 503]
      t.ok(fine.includes(answer.statusCode), `${method}: ${answer.statusCode}`)
      if (answer.statusCode === 503) isClear(t, answer, 'FST_TUS_STORE_UNAVAILABLE', 503)
    }
    broken = ''

    const { headers } = await head(location)
    const offset = Number(headers['upload-offset'])
    t.ok(offset >= 40_000, `at ${offset}`)
    t.ok((await file(location)).subarray(0, offset).equals(bytes.subarray(0, offset)), 'what counts is what was sent')
    t.equal((await patch(location, offset, bytes.subarray(offset))).statusCode, 204)
    t.ok((await file(location)).equals(bytes))
    t.equal((await patch(other, 3, 'def')).statusCode, 204)
    t.equal((await file(other)).toString(), 'abcdef')
    const made = answers.POST.headers.location
    if (call !== 'unlink') t.same(await strays(directory, [location, other, ...made === undefined ? [] : [made]]), [])
    t.equal((await request('DELETE', location)).statusCode, 204)
  })
}
