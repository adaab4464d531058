import { execFile } from 'node:child_process'
import http from 'node:http'
import { readFile, unlink, utimes, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { promisify } from 'node:util'
import t from 'tap'
import { MemoryLocker } from '../../plugin/index.ts'
import type { Intent } from '../../plugin/index.ts'
import { build, sampleBytes } from '../helper.ts'
import { MemoryStore } from '../memory-store.ts'
import { finished, needs } from './files.ts'

const run = promisify(execFile)

t.test('EDGE-83: a range is answered with its bytes, and nothing else', async (t) => {
  const built = await build(t)
  const url = await finished(built, 'abcdef')
  for (const [range, bytes, start] of [
    ['bytes=0-0', 'a', 0], ['bytes=2-3', 'cd', 2], ['bytes=4-', 'ef', 4], ['bytes=0-', 'abcdef', 0],
    ['bytes=-2', 'ef', 4], ['bytes=-100', 'abcdef', 0], ['bytes=5-99', 'f', 5], ['BYTES=2-3', 'cd', 2],
    ['bytes=4-99999999999999999999999999', 'ef', 4]
  ] as const) {
    const response = await built.app.inject({ url, headers: { range } })
    t.equal(response.statusCode, 206, range)
    t.equal(response.body, bytes, range)
    t.match(response.headers, {
      'content-range': `bytes ${start}-${start + bytes.length - 1}/6`,
      'content-length': String(bytes.length),
      'accept-ranges': 'bytes'
    }, range)
  }
})

t.test('EDGE-83: a range that begins behind the end is refused, with the size', async (t) => {
  const built = await build(t)
  const url = await finished(built, 'abcdef')
  for (const range of ['bytes=6-', 'bytes=100-200', 'bytes=-0', 'bytes=99999999999999999999999999-']) {
    const response = await built.app.inject({ url, headers: { range } })
    t.equal(response.statusCode, 416, range)
    t.equal(response.headers['content-range'], 'bytes */6', range)
    t.match(response.json(), { code: 'FST_TUS_RANGE' }, range)
  }
})

t.test('EDGE-83: what is no range, of another unit, or several ranges, is answered with the file', async (t) => {
  const built = await build(t)
  const url = await finished(built, 'abcdef')
  for (const range of [
    'bytes=3-2', 'bytes=b-a', 'bytes', 'bytes=', 'bytes=-', 'bytes=--1', 'bytes=1-2-3', 'lines=1-2', 'bytes=0-0,2-3'
  ]) {
    const response = await built.app.inject({ url, headers: { range } })
    t.equal(response.statusCode, 200, range)
    t.equal(response.body, 'abcdef', range)
    t.notOk('content-range' in response.headers, range)
  }
})

t.test('an empty upload is served empty, and has no first byte', async (t) => {
  const built = await build(t)
  const url = await finished(built, '')
  for (const headers of [{}, { range: 'bytes=-5' }]) {
    const response = await built.app.inject({ url, headers })
    t.equal(response.statusCode, 200)
    t.equal(response.headers['content-length'], '0')
    t.equal(response.body, '')
  }
  const response = await built.app.inject({ url, headers: { range: 'bytes=0-' } })
  t.equal(response.statusCode, 416)
  t.equal(response.headers['content-range'], 'bytes */0')
})

t.test('random ranges are the bytes of the file', async (t) => {
  const count = Number(process.env.RANGES || 1000)
  const built = await build(t)
  const bytes = sampleBytes(3_000_017)
  const url = `${await built.listen()}${await finished(built, bytes)}`
  const agent = new http.Agent({ keepAlive: true, maxSockets: 8 })
  t.teardown(() => agent.destroy())
  let wrong = 0
  const ask = async () => {
    const start = Math.floor(Math.random() * bytes.length)
    const end = Math.min(bytes.length - 1, start + Math.floor(Math.random() ** 4 * 300_000))
    const response = await get(url, { range: `bytes=${start}-${end}` }, agent)
    const isRight = response.status === 206 && response.body.equals(bytes.subarray(start, end + 1)) &&
      response.headers['content-range'] === `bytes ${start}-${end}/${bytes.length}`
    if (!isRight) {
      wrong++
      t.comment(`wrong: ${start}-${end}`)
    }
  }
  for (let asked = 0; asked < count; asked += 8) await Promise.all(Array.from({ length: 8 }, ask))
  t.equal(wrong, 0)
})

t.test('what was seen before is not sent again, and what was not is', async (t) => {
  const built = await build(t)
  const url = await finished(built, 'abcdef')
  const { headers } = await built.app.inject(url)
  const etag = String(headers.etag)
  const modified = String(headers['last-modified'])
  const earlier = new Date(Date.parse(modified) - 60_000).toUTCString()
  t.match(etag, /^"[^"]+"$/, 'the tag is a strong one')
  for (const [condition, status] of [
    [{ 'if-none-match': etag }, 304],
    [{ 'if-none-match': `"x", W/${etag}` }, 304],
    [{ 'if-none-match': '*' }, 304],
    [{ 'if-none-match': '"x"' }, 200],
    [{ 'if-none-match': 'no tag' }, 200],
    [{ 'if-none-match': '"x"', 'if-modified-since': modified }, 200],
    [{ 'if-modified-since': modified }, 304],
    [{ 'if-modified-since': earlier }, 200],
    [{ 'if-modified-since': 'yesterday' }, 200],
    [{ 'if-match': etag }, 200],
    [{ 'if-match': '*' }, 200],
    [{ 'if-match': `W/${etag}` }, 412],
    [{ 'if-match': '"x"' }, 412],
    [{ 'if-unmodified-since': modified }, 200],
    [{ 'if-unmodified-since': earlier }, 412],
    [{ 'if-match': etag, 'if-unmodified-since': earlier }, 200]
  ] as const) {
    const response = await built.app.inject({ url, headers: condition })
    t.equal(response.statusCode, status, JSON.stringify(condition))
    if (status === 304) {
      t.equal(response.body, '')
      t.equal(response.headers.etag, etag)
      t.equal(response.headers['cache-control'], 'no-cache')
    }
    if (status === 412) t.match(response.json(), { code: 'FST_TUS_PRECONDITION' })
  }
})

t.test('If-Range: the range where the file is that one, the file where it is another', async (t) => {
  const built = await build(t)
  const url = await finished(built, 'abcdef')
  const { headers } = await built.app.inject(url)
  for (const [ifRange, status] of [
    [String(headers.etag), 206], [String(headers['last-modified']), 206],
    ['"x"', 200], [`W/${headers.etag}`, 200], ['Sun, 06 Nov 1994 08:49:37 GMT', 200], ['yesterday', 200]
  ] as const) {
    const response = await built.app.inject({ url, headers: { range: 'bytes=2-3', 'if-range': ifRange } })
    t.equal(response.statusCode, status, ifRange)
    t.equal(response.body, status === 206 ? 'cd' : 'abcdef', ifRange)
  }
})

t.test('the tag is another one for other bytes', async (t) => {
  const built = await build(t)
  const url = await finished(built, 'abcdef')
  const before = (await built.app.inject(url)).headers.etag
  await utimes(path.join(built.directory, path.basename(url)), 1, 1)
  t.not((await built.app.inject(url)).headers.etag, before)
})

t.test('a HEAD without the version of tus tells of the file what GET tells, and one with it is of tus', async (t) => {
  const built = await build(t)
  const url = await finished(built, 'abcdef', { filename: 'a.txt', filetype: 'text/plain' })
  const got = await built.app.inject(url)
  for (const headers of [{}, { range: 'bytes=1-2' }]) {
    const head = await built.app.inject({ method: 'HEAD', url, headers })
    t.equal(head.statusCode, 200)
    t.equal(head.body, '')
    t.same({ ...head.headers, date: '' }, { ...got.headers, date: '' })
  }
  const { etag } = got.headers
  t.equal((await built.app.inject({ method: 'HEAD', url, headers: { 'if-none-match': String(etag) } })).statusCode, 304)
  const inspected = await built.head(url)
  t.match(inspected.headers, { 'upload-offset': '6', 'upload-length': '6', 'cache-control': 'no-store' })
  t.notOk('etag' in inspected.headers)
})

t.test('CORE-02: a HEAD without the version is refused where nothing is served', async (t) => {
  const built = await build(t)
  const url = await built.create(6)
  const head = await built.app.inject({ method: 'HEAD', url })
  t.equal(head.statusCode, 412)
  t.equal(head.headers['tus-version'], '1.0.0')
  t.equal((await built.app.inject({ method: 'HEAD', url: '/files/unknown' })).statusCode, 404)

  const off = await build(t, { download: false })
  const whole = await finished(off, 'abcdef')
  t.equal((await off.app.inject({ method: 'HEAD', url: whole })).statusCode, 412)
  t.equal((await off.app.inject(whole)).statusCode, 405)
})

t.test('an upload that is not finished is not served, and that is not remembered', async (t) => {
  const built = await build(t)
  const response = await built.app.inject(await built.create(6))
  t.equal(response.statusCode, 404)
  t.match(response.json(), { code: 'FST_TUS_NOT_FINISHED' })
  t.equal(response.headers['cache-control'], 'no-store')
})

t.test('authorize is asked once, with intent read, and may refuse', async (t) => {
  const intents: Intent[] = []
  let allowed = true
  const built = await build(t, {
    authorize (_request, intent) {
      if (intent.action === 'read') intents.push(intent)
      return intent.action !== 'read' || allowed
    }
  })
  const url = await finished(built, 'abcdef')
  t.equal((await built.app.inject({ url, headers: { range: 'bytes=1-2' } })).statusCode, 206)
  t.match(intents, [{ action: 'read', upload: { id: path.basename(url), offset: 6 } }])
  allowed = false
  t.equal((await built.app.inject(url)).statusCode, 403)
  t.equal((await built.app.inject({ method: 'HEAD', url })).statusCode, 403)
})

t.test('LOCK-06: reading takes no lock', async (t) => {
  const locker = new MemoryLocker()
  const built = await build(t, { locker })
  const url = await finished(built, 'abcdef')
  const lock = locker.newLock(path.basename(url))
  await lock.lock(new AbortController().signal, () => { t.fail('the holder was asked to let go') })
  t.equal((await built.app.inject(url)).body, 'abcdef')
  t.equal((await built.app.inject({ url, headers: { range: 'bytes=1-2' } })).body, 'bc')
  await lock.unlock()
})

t.test('a store that knows no times and reads no ranges is served whole, without a tag', async (t) => {
  class ReadableStore extends MemoryStore {
    read (id: string): Readable {
      return Readable.from([this.bytesOf(id)])
    }
  }
  const datastore = new ReadableStore()
  await datastore.create({ id: 'made-elsewhere', size: 3, offset: 0 })
  const { app, patch } = await build(t, { datastore })
  await patch('/files/made-elsewhere', 0, 'abc')
  for (const headers of [
    {}, { range: 'bytes=1-2' }, { range: 'bytes=1-2', 'if-range': '"x"' }, { 'if-none-match': '"x"' },
    { 'if-modified-since': new Date().toUTCString() }, { 'if-unmodified-since': new Date(0).toUTCString() }
  ]) {
    const response = await app.inject({ url: '/files/made-elsewhere', headers })
    t.equal(response.statusCode, 200)
    t.equal(response.body, 'abc')
    t.match(response.headers, { 'accept-ranges': 'none', 'content-length': '3' })
    t.notOk('etag' in response.headers || 'last-modified' in response.headers)
  }
})

t.test('a store may give a range in pieces, and one that gives less is an error', async (t) => {
  let less = 0
  class RangeStore extends MemoryStore {
    readonly abilities = ['ranges']
    read (id: string, { start, end } = { start: 0, end: Infinity }): Readable {
      return Readable.from([...this.bytesOf(id).subarray(start, end + 1 - less)].map((byte) => Buffer.from([byte])))
    }
  }
  const datastore = new RangeStore()
  await datastore.create({ id: 'made-elsewhere', size: 6, offset: 0 })
  const { app, patch } = await build(t, { datastore })
  await patch('/files/made-elsewhere', 0, 'abcdef')
  const ask = (range: string) => app.inject({ url: '/files/made-elsewhere', headers: { range } })
  t.equal((await ask('bytes=1-4')).body, 'bcde')
  for (less of [1, 4]) t.equal((await ask('bytes=1-4')).statusCode, 500)
})

t.test('a file that is gone is an error, and not a broken answer', async (t) => {
  const built = await build(t)
  const url = await finished(built, 'abcdef')
  const file = path.join(built.directory, path.basename(url))
  await writeFile(file, 'abc')
  t.equal((await built.app.inject(url)).statusCode, 410, 'shorter than it was')
  await unlink(file)
  t.equal((await built.app.inject(url)).statusCode, 410)
})

t.test('curl reads a range, and goes on where it was cut off', needs('curl'), async (t) => {
  const built = await build(t)
  const bytes = sampleBytes(1_000_000)
  const url = `${await built.listen()}${await finished(built, bytes)}`
  const part = path.join(built.directory, 'part')
  await writeFile(part, bytes.subarray(0, 400_000))
  const curl = ['-sf', '--noproxy', '*', url]
  const { stdout } = await run('curl', [...curl, '-r', '1000-200999'], { encoding: 'buffer' })
  t.ok(stdout.equals(bytes.subarray(1000, 201_000)))
  await run('curl', [...curl, '-C', '-', '-o', part])
  t.ok((await readFile(part)).equals(bytes))
})

t.test('ffprobe and ffmpeg find their way in a video by its ranges', needs('ffprobe', 'ffmpeg'), async (t) => {
  const built = await build(t)
  const file = path.join(built.directory, 'long.mp4')
  // Two minutes, with the index behind them.
  const source = path.join(import.meta.dirname, '../fixtures/clip.mp4')
  await run('ffmpeg', ['-v', 'error', '-stream_loop', '19', '-i', source, '-c', 'copy', file])
  const bytes = await readFile(file)
  const url = `${await built.listen()}${await finished(built, bytes, { filetype: 'video/mp4' })}`
  const ranges: string[] = []
  built.app.server.on('request', ({ headers }: http.IncomingMessage) => ranges.push(String(headers.range)))

  const probe = await run('ffprobe', ['-v', 'error', '-show_entries', 'format=duration,size', '-of', 'json', url])
  t.match(JSON.parse(probe.stdout), { format: { duration: /^12\d\./, size: String(bytes.length) } })
  const hash = (from: string) => run('ffmpeg', ['-v', 'error', '-ss', '100', '-t', '1', '-i', from, '-f', 'md5', '-'])
  t.equal((await hash(url)).stdout, (await hash(file)).stdout)
  t.ok(ranges.some((range) => /^bytes=[1-9]/.test(range)), `it asked for ${ranges.join(', ')}`)
})

async function get (url: string, headers: http.OutgoingHttpHeaders, agent: http.Agent) {
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    http.get(url, { headers, agent }, resolve).on('error', reject)
  })
  return { status: response.statusCode, headers: response.headers, body: await buffer(response) }
}
