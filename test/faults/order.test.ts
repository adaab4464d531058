/**
 * The order of writes, syncs, renames and responses as the system sees them: it determines what a power failure leaves.
 * Needs `strace`; skipped without it.
 */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import type { Durability } from '../../plugin/index.ts'
import { OFFSET_OCTET_STREAM } from '../helper.ts'
import { readTrace } from './trace.ts'

const script = path.join(import.meta.dirname, 'traced-server.ts')
const traced = 'openat,write,writev,pwrite64,pwritev,pwritev2,fsync,fdatasync,rename,renameat,renameat2,sendto,sendmsg'
const isTraceable = spawnSync('strace', ['-f', '-o', '/dev/null', 'true']).status === 0
const skip = isTraceable ? false : 'strace is missing, or may not trace'

type Request = (method: string, target: string, headers?: Record<string, string>, body?: string) => Promise<Response>

/** The system calls of a server while it handles requests, from the moment it listens. */
async function traceOf (
  t: Test, durability: Durability, ask: (request: Request) => Promise<unknown>, files: Record<string, string> = {}
): Promise<string[]> {
  const root = t.testdir({ files })
  const directory = path.join(root, 'files')
  const trace = path.join(root, 'trace')
  const server = spawn('strace', ['-f', '-qq', '-y', '-s', '40', '-e', `trace=${traced}`, '-o', trace,
    process.execPath, '--import', 'tsx', script, directory, durability
  ], {
    // With io_uring, a sync would not be a system call.
    env: { ...process.env, UV_USE_IO_URING: '0', _TAPJS_PROCESSINFO_COVERAGE_: '0' },
    stdio: ['pipe', 'pipe', 'inherit']
  })
  for await (const port of createInterface({ input: server.stdout })) {
    const base = `http://127.0.0.1:${port}`
    await ask(async (method, target, headers = {}, body) => await fetch(base + target, {
      method, headers: { 'tus-resumable': '1.0.0', 'content-type': OFFSET_OCTET_STREAM, ...headers }, body: body ?? null
    }))
    server.stdin.end()
  }
  await once(server, 'close')
  return readTrace(await readFile(trace, 'utf8'), directory)
}

/** An upload as left by a process that was killed after the last byte. */
const complete = {
  left: 'abc',
  'left.json': JSON.stringify({ id: 'left', size: 3, offset: 0, metadata: {}, finished: false })
}

const create = async (request: Request, length: number, headers: Record<string, string> = {}) =>
  String((await request('POST', '/files', { 'upload-length': String(length), ...headers })).headers.get('location'))

/** An upload in two bodies. */
async function upload (request: Request, withChecksums = false): Promise<void> {
  const location = await create(request, 6)
  for (const [offset, body] of [[0, 'abc'], [3, 'def']] as const) {
    const digest = createHash('sha1').update(body).digest('base64')
    const checksum = withChecksums ? { 'upload-checksum': `sha1 ${digest}` } : {}
    await request('PATCH', location, { 'upload-offset': String(offset), ...checksum }, body)
  }
}

const created = ['create record', 'write record', 'create data', 'response 201']
const syncedRecord = [
  'create temporary record', 'write temporary record', 'sync temporary record', 'rename temporary record to record',
  'sync directory'
]
const record = syncedRecord.filter((did) => !did.startsWith('sync'))

t.test('durability "finished": the last 204 follows the data, the record and their names', { skip }, async (t) => {
  t.same(await traceOf(t, 'finished', upload), [
    ...created,
    'write data', 'response 204',
    'write data', 'sync data', ...syncedRecord, 'response 204'
  ])
})

t.test('durability "every-append": every response follows the writes that it acknowledges', { skip }, async (t) => {
  t.same(await traceOf(t, 'every-append', upload), [
    'create record', 'write record', 'sync record', 'create data', 'sync directory', 'response 201',
    'write data', 'sync data', 'response 204',
    'write data', 'sync data', ...syncedRecord, 'response 204'
  ])
})

t.test('durability "none": nothing is synced, and the order is the same', { skip }, async (t) => {
  t.same(await traceOf(t, 'none', upload), [
    ...created, 'write data', 'response 204', 'write data', ...record, 'response 204'
  ])
})

t.test('the record of an unverified body is on disk before its first byte', { skip }, async (t) => {
  t.same(await traceOf(t, 'finished', (request) => upload(request, true)), [
    ...created,
    ...syncedRecord, 'write data', ...record, 'response 204',
    'write data', 'sync data', ...record, ...syncedRecord, 'response 204'
  ])
})

t.test('a final upload gets its bytes, then its record; each with its name', { skip }, async (t) => {
  const did = await traceOf(t, 'finished', async (request) => {
    const part = await create(request, 3, { 'upload-concat': 'partial' })
    await request('PATCH', part, { 'upload-offset': '0' }, 'abc')
    await request('POST', '/files', { 'upload-concat': `final;${part} ${part}` })
  })
  t.same(did.slice(did.lastIndexOf('response 204') + 1), [
    'create record', 'write record', 'create data',
    'create temporary data', 'write temporary data', 'sync temporary data',
    'rename temporary data to data', 'sync directory',
    ...syncedRecord, ...syncedRecord, 'response 201'
  ])
})

t.test('a complete upload left by a crash is synced before it is finished', { skip }, async (t) => {
  const did = await traceOf(t, 'finished', (request) => request('HEAD', '/files/left'), complete)
  t.same(did, ['sync data', ...syncedRecord, 'response 200'])
})
