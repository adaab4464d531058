import { unlinkSync } from 'node:fs'
import { unlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'
import t from 'tap'
import { FileStore, MemoryLocker } from '../../plugin/index.ts'
import type { Intent } from '../../plugin/index.ts'
import { build, temporaryDirectory } from '../helper.ts'
import { ForeignStore } from '../foreign-store.ts'
import { base64, finished } from './files.ts'

t.test('a HEAD without Tus-Resumable describes the download, and one with it the tus upload', async (t) => {
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

t.test('CORE-02: a HEAD without Tus-Resumable is refused if downloads are disabled', async (t) => {
  const built = await build(t)
  const url = await built.create(6)
  const head = await built.app.inject({ method: 'HEAD', url })
  t.equal(head.statusCode, 412)
  t.equal(head.headers['tus-version'], '1.0.0')
  t.equal((await built.app.inject({ method: 'HEAD', url: '/files/unknown' })).statusCode, 404)

  const off = await build(t, { download: false })
  const complete = await finished(off, 'abcdef')
  t.equal((await off.app.inject({ method: 'HEAD', url: complete })).statusCode, 412)
  t.equal((await off.app.inject(complete)).statusCode, 405)
})

t.test('an unfinished upload is not served, and the response is not cacheable', async (t) => {
  const built = await build(t)
  const response = await built.app.inject(await built.create(6))
  t.equal(response.statusCode, 404)
  t.match(response.json(), { code: 'FST_TUS_NOT_FINISHED' })
  t.equal(response.headers['cache-control'], 'no-store')
})

t.test('a part is not served, complete or not, since no check and no hook has run', async (t) => {
  for (const growing of [false, true]) {
    const built = await build(t, { allowedTypes: ['image/png'], download: { growing } })
    const url = await built.create(6, { 'upload-concat': 'partial', 'upload-metadata': `filetype ${base64('text/plain')}` })
    const expectRefused = async () => {
      for (const headers of [{}, { range: 'bytes=0-1' }]) {
        for (const path of [url, `${url}?from=0`]) {
          const response = await built.app.inject({ url: path, headers })
          t.match(response.json(), { statusCode: 404, code: 'FST_TUS_NOT_FINISHED' })
        }
      }
      t.equal((await built.app.inject({ method: 'HEAD', url })).statusCode, 412, 'nor for a HEAD without Tus-Resumable')
    }
    await built.patch(url, 0, 'abc')
    await expectRefused()
    t.equal((await built.patch(url, 3, 'def')).statusCode, 204)
    await expectRefused()
  }
})

t.test('authorize is called once, with the action read, and may refuse', async (t) => {
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

t.test('LOCK-06: a download takes no lock', async (t) => {
  const locker = new MemoryLocker()
  const built = await build(t, { locker })
  const url = await finished(built, 'abcdef')
  const lock = locker.newLock(path.basename(url))
  await lock.lock(new AbortController().signal, () => { t.fail('the holder was asked to release') })
  t.equal((await built.app.inject(url)).body, 'abcdef')
  t.equal((await built.app.inject({ url, headers: { range: 'bytes=1-2' } })).body, 'bc')
  await lock.unlock()
})

t.test('a store without times and ranges is served completely, without a tag', async (t) => {
  class ReadableStore extends ForeignStore {
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

t.test('a missing file is an error, and not a broken response', async (t) => {
  const built = await build(t)
  const url = await finished(built, 'abcdef')
  const file = path.join(built.directory, path.basename(url))
  await writeFile(file, 'abc')
  t.equal((await built.app.inject(url)).statusCode, 410, 'shorter than before')
  await unlink(file)
  t.equal((await built.app.inject(url)).statusCode, 410)
})

t.test('a file that is deleted between its check and its reading is an error', async (t) => {
  let fail: (file: string) => void = () => {}
  class FailingStore extends FileStore {
    override read (id: string, range?: { start: number, end: number }) {
      fail(path.join(this.directory, id))
      return super.read(id, range)
    }
  }
  const datastore = new FailingStore({ directory: await temporaryDirectory(t) })
  const built = await build(t, { datastore })
  const cases: Array<[status: number, code: string, fail: (file: string) => void]> = [
    [404, 'FST_TUS_NOT_FOUND', (file) => { for (const name of [file, `${file}.json`]) unlinkSync(name) }],
    [410, 'FST_TUS_GONE', unlinkSync],
    [503, 'FST_TUS_STORE_UNAVAILABLE', () => { throw Object.assign(new Error('EIO'), { code: 'EIO' }) }]
  ]
  for (const [status, code, trouble] of cases) {
    for (const headers of [{}, { range: 'bytes=1-2' }]) {
      fail = () => {}
      const url = await finished(built, 'abcdef', { filename: 'a.txt' })
      fail = trouble
      const response = await built.app.inject({ url, headers })
      t.equal(response.statusCode, status)
      t.match(response.json(), { statusCode: status, code })
      t.match(response.headers, { 'cache-control': 'no-store', 'content-type': /^application\/json/ })
      const names = Object.keys(response.headers)
      t.notOk(names.some((name) => /^(etag|content-disposition|content-range)$/.test(name)), names.join())
    }
  }
})

t.test('a finished upload may be elsewhere: the app decides after it has authorized the request', async (t) => {
  const calls: string[] = []
  const built = await build(t, {
    authorize (_request, { action }) { calls.push(action) },
    download: {
      growing: true,
      async redirect (request, { id, metadata }) {
        calls.push('redirect')
        if (request.headers.range === 'bytes=1-') throw Object.assign(new Error('not you'), { statusCode: 403 })
        return metadata?.['filename'] === 'a.txt' ? `https://cdn.example/${id}` : undefined
      }
    }
  })
  const url = await finished(built, 'abcdef', { filename: 'a.txt' })
  calls.length = 0
  for (const method of ['GET', 'HEAD'] as const) {
    const response = await built.app.inject({ method, url })
    t.equal(response.statusCode, 302)
    t.equal(response.headers.location, `https://cdn.example/${path.basename(url)}`)
    t.match(response.headers, { 'cache-control': 'no-store', 'access-control-allow-origin': '*' })
    t.equal(response.body, '')
  }
  t.same(calls, ['read', 'redirect', 'read', 'redirect'])
  t.equal((await built.app.inject({ url, headers: { range: 'bytes=1-' } })).statusCode, 403)
  const other = await finished(built, 'abcdef', { filename: 'b.txt' })
  t.equal((await built.app.inject(other)).body, 'abcdef')
  const unfinished = await built.create(3)
  const events = { accept: 'text/event-stream', 'last-event-id': 'last' }
  t.equal((await built.app.inject({ url: unfinished, headers: events })).statusCode, 204)
})
