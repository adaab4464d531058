/**
 * The order in which bytes, records and names get to the disk, and what is answered when, as the system saw it: what a
 * machine that goes down leaves. Needs `strace`; left out where there is none.
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

/** What the system saw while a server was asked, from when it listened. */
async function traceOf (
  t: Test, durability: Durability, ask: (request: Request) => Promise<unknown>, files: Record<string, string> = {}
): Promise<string[]> {
  const root = t.testdir({ files })
  const directory = path.join(root, 'files')
  const trace = path.join(root, 'trace')
  const server = spawn('strace', ['-f', '-qq', '-y', '-s', '40', '-e', `trace=${traced}`, '-o', trace,
    process.execPath, '--import', 'tsx', script, directory, durability
  ], {
    // With io_uring a flush would be no call of the system.
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

/** An upload as a process left it that was killed after its last byte. */
const whole = {
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

const created = ['create record', 'write record', 'create data', 'answer 201']
const flushedRecord = [
  'create beside record', 'write beside record', 'flush beside record', 'rename beside record to record',
  'flush directory'
]
const record = flushedRecord.filter((did) => !did.startsWith('flush'))

t.test('durability "finished": the last 204 comes behind the data, the record and their names', { skip }, async (t) => {
  t.same(await traceOf(t, 'finished', upload), [
    ...created,
    'write data', 'answer 204',
    'write data', 'flush data', ...flushedRecord, 'answer 204'
  ])
})

t.test('durability "every-append": every answer comes behind what it tells', { skip }, async (t) => {
  t.same(await traceOf(t, 'every-append', upload), [
    'create record', 'write record', 'flush record', 'create data', 'flush directory', 'answer 201',
    'write data', 'flush data', 'answer 204',
    'write data', 'flush data', ...flushedRecord, 'answer 204'
  ])
})

t.test('durability "none": nothing is flushed, and the order is the same', { skip }, async (t) => {
  t.same(await traceOf(t, 'none', upload), [
    ...created, 'write data', 'answer 204', 'write data', ...record, 'answer 204'
  ])
})

t.test('that a body is not verified yet is on the disk before its first byte', { skip }, async (t) => {
  t.same(await traceOf(t, 'finished', (request) => upload(request, true)), [
    ...created,
    ...flushedRecord, 'write data', ...record, 'answer 204',
    'write data', 'flush data', ...record, ...flushedRecord, 'answer 204'
  ])
})

t.test('a final upload gets its bytes, then its record; each with its name', { skip }, async (t) => {
  const did = await traceOf(t, 'finished', async (request) => {
    const part = await create(request, 3, { 'upload-concat': 'partial' })
    await request('PATCH', part, { 'upload-offset': '0' }, 'abc')
    await request('POST', '/files', { 'upload-concat': `final;${part} ${part}` })
  })
  t.same(did.slice(did.lastIndexOf('answer 204') + 1), [
    'create record', 'write record', 'create data',
    'create beside data', 'write beside data', 'flush beside data', 'rename beside data to data', 'flush directory',
    ...flushedRecord, ...flushedRecord, 'answer 201'
  ])
})

t.test('an upload that a crash left whole is flushed before it is finished', { skip }, async (t) => {
  const did = await traceOf(t, 'finished', (request) => request('HEAD', '/files/left'), whole)
  t.same(did, ['flush data', ...flushedRecord, 'answer 200'])
})
