import nodeFs from 'node:fs'
import fs from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { MemoryLocker } from '../../../plugin/index.ts'
import { build, type Built, sampleBytes } from '../../helper.ts'

/** Partial uploads with these bytes; `undefined` creates an empty one of length 5. */
async function partials (app: Built, contents: (string | Buffer | undefined)[]): Promise<string[]> {
  const locations = []
  for (const content of contents) {
    const location = await app.create(content?.length ?? 5, { 'upload-concat': 'partial' })
    if (content !== undefined) await app.patch(location, 0, content)
    locations.push(location)
  }
  return locations
}

const final = (app: Built, urls: string[], headers: Record<string, string> = {}) =>
  app.post({ 'upload-concat': `final;${urls.join(' ')}`, ...headers })

t.test('CONCAT-02 CONCAT-06 HEAD of a partial upload returns Upload-Concat', async (t) => {
  const app = await build(t)
  const [part = ''] = await partials(app, ['ab'])
  const { headers } = await app.head(part)
  t.match(headers, { 'upload-concat': 'partial', 'upload-offset': '2', 'upload-length': '2' })
})

t.test('CONCAT-03 CONCAT-05 a final upload has the bytes of its parts, in order and repeated', async (t) => {
  const app = await build(t)
  const large = sampleBytes(5_000_000)
  const [a = '', b = '', c = ''] = await partials(app, ['first,', large, ',last'])
  const response = await final(app, [a, b, c, a], { 'upload-metadata': 'filename YQ==' })
  t.equal(response.statusCode, 201)
  const location = response.headers.location as string
  const sum = 6 + large.length + 5 + 6
  t.match((await app.head(location)).headers, {
    'upload-offset': String(sum),
    'upload-length': String(sum),
    'upload-concat': `final;${a} ${b} ${c} ${a}`,
    'upload-metadata': 'filename YQ=='
  })
  const expected = Buffer.concat([Buffer.from('first,'), large, Buffer.from(',last'), Buffer.from('first,')])
  t.ok((await app.stored(location)).equals(expected))
  t.ok((await app.request('GET', location)).rawPayload.equals(expected))
})

t.test('CONCAT-13 the finish hook runs for the final upload and not for its parts', async (t) => {
  const finished: [string, number][] = []
  const app = await build(t, { onUploadFinish: (_request, { id, offset }) => { finished.push([id, offset]) } })
  const parts = await partials(app, ['ab', 'cd', ''])
  t.same(finished, [])
  const { headers } = await final(app, parts)
  t.same(finished, [[path.basename(headers.location as string), 4]])
})

t.test('the finish hook of a final upload can change the response', async (t) => {
  const app = await build(t, { onUploadFinish: () => ({ headers: { 'x-video': '7' }, body: 'thanks' }) })
  const response = await final(app, await partials(app, ['ab']))
  t.match(response, { statusCode: 201, headers: { 'x-video': '7' }, body: 'thanks' })
})

t.test('CONCAT-08 appending to a final upload is refused', async (t) => {
  const app = await build(t)
  const [a = '', growing = ''] = await partials(app, ['ab', undefined])
  for (const urls of [[a], [a, growing]]) {
    const { headers } = await final(app, urls)
    for (const offset of [0, 2]) {
      const response = await app.patch(headers.location as string, offset, 'x')
      t.match(response, { statusCode: 403, body: /FST_TUS_FINAL_UPLOAD/ })
    }
  }
})

t.test('CONCAT-10 CONCAT-11 EDGE-76 an Upload-Concat without partial uploads of this server is refused', async (t) => {
  const app = await build(t)
  const [part = ''] = await partials(app, ['ab'])
  const plain = await app.create(0)
  const done = (await final(app, [part])).headers.location as string
  const before = await fs.readdir(app.directory)
  const wrong = [
    plain, done, '/files/nope', `${part}?x=1`, `${part}/`, `/other${part}`, '/files/', '..', 'javascript:alert(1)',
    `https://elsewhere.example/other${part}`, 'http://[', '/files/..%2fx'
  ]
  for (const url of wrong) {
    const response = await final(app, [part, url])
    t.match(response, { statusCode: 400, body: /FST_TUS_INVALID_(HEADER|PARTS)/ }, url)
  }
  for (const value of ['', 'final;', 'final', 'partial;', 'PARTIAL', 'foo', 'partial, partial']) {
    const response = await app.post({ 'upload-concat': value, 'upload-length': '2' })
    t.equal(response.statusCode, 400, value)
  }
  t.same(await fs.readdir(app.directory), before, 'nothing of it is kept')
})

t.test('CONCAT-10 URLs of parts may be absolute, relative, or below the public URL', async (t) => {
  const app = await build(t, { publicUrl: 'https://example.com/uploads' })
  const [part = ''] = await partials(app, ['ab'])
  const id = path.basename(part)
  t.equal(part, `https://example.com/uploads/${id}`)
  for (const url of [part, `/files/${id}`, `http://localhost/files/${id}`, `https://localhost/files/${id}`, `files/${id}`]) {
    t.equal((await final(app, [url])).statusCode, 201, url)
  }
})

t.test('CONCAT-04 CONCAT-15 a final upload has no length and no body of its own', async (t) => {
  const app = await build(t)
  const urls = await partials(app, ['ab'])
  t.equal((await final(app, urls, { 'upload-length': '2' })).statusCode, 400)
  t.equal((await final(app, urls, { 'upload-defer-length': '1' })).statusCode, 400)
  const withBody = await app.post({ 'upload-concat': `final;${urls.join(' ')}` }, 'body')
  t.equal(withBody.statusCode, 403)
})

t.test('CONCAT-14 EDGE-75 size and number of the parts are checked before any byte is copied', async (t) => {
  const app = await build(t, { maxSize: 5 })
  const [part = ''] = await partials(app, ['abc'])
  const before = await fs.readdir(app.directory)
  t.match(await final(app, [part, part]), { statusCode: 413, body: /FST_TUS_TOO_LARGE/ })
  const many = Array.from({ length: 1001 }, () => '/files/x')
  t.match(await final(app, many), { statusCode: 400, body: /at most 1000 parts/ })
  t.same(await fs.readdir(app.directory), before)
})

t.test('EDGE-79 a final upload of a part of unknown length is refused', async (t) => {
  const app = await build(t)
  const part = await app.create('deferred', { 'upload-concat': 'partial' })
  t.match(await final(app, [part]), { statusCode: 400, body: /a part has no length yet/ })
})

t.test('CONCAT-09 CONCAT-17 an unfinished part is refused if the extension is disabled', async (t) => {
  const app = await build(t, { extensions: { 'concatenation-unfinished': false } })
  const parts = await partials(app, ['ab', undefined])
  const before = await fs.readdir(app.directory)
  t.match(await final(app, parts), { statusCode: 400, body: /a part is unfinished/ })
  t.same(await fs.readdir(app.directory), before)
  t.notMatch((await app.request('OPTIONS', '/files')).headers['tus-extension'], /unfinished/)
})

t.test('CONCAT-01 if concatenation is disabled, Upload-Concat is ignored', async (t) => {
  const app = await build(t, { extensions: { concatenation: false } })
  const { statusCode, headers } = await app.post({ 'upload-concat': 'partial', 'upload-length': '2' })
  t.equal(statusCode, 201)
  t.notOk('upload-concat' in (await app.head(headers.location as string)).headers)
})

t.test('EDGE-78 authorize is called for each part', async (t) => {
  const asked: string[] = []
  const app = await build(t, {
    authorize: (_request, { action, upload }) => {
      if (action !== 'concatenate') return
      asked.push(upload.id)
      if (upload.metadata?.['owner'] !== 'me') throw Object.assign(new Error('not yours'), { statusCode: 403 })
    }
  })
  const mine = await app.create(0, { 'upload-concat': 'partial', 'upload-metadata': 'owner bWU=' })
  const theirs = await app.create(0, { 'upload-concat': 'partial' })
  t.equal((await final(app, [mine, theirs])).statusCode, 403)
  t.same(asked, [mine, theirs].map((url) => path.basename(url)))
  t.equal((await final(app, [mine])).statusCode, 201)
})

t.test('EDGE-28 a final upload whose id is being written to is refused, and the writer continues', async (t) => {
  const ids = ['part', 'taken', 'taken']
  const app = await build(t, { namingFunction: () => ids.shift() ?? '' })
  const [part = ''] = await partials(app, ['ab'])
  const taken = await app.create(9)
  const { socket, response } = await app.stall(taken, 0, 9, 'abc')
  await app.untilStored(taken, 3)
  t.match(await final(app, [part]), { statusCode: 409, body: /FST_TUS_EXISTS/ })
  socket.write('defghi')
  t.equal((await response).status, 204)
})

t.test('CONCAT-16 EDGE-77 a part that changed before it was locked is not concatenated', async (t) => {
  const locker = new MemoryLocker()
  const app = await build(t, { locker })
  const [part = ''] = await partials(app, ['ab'])
  const before = await fs.readdir(app.directory)
  const newLock = locker.newLock.bind(locker)
  locker.newLock = (id) => {
    // Another process was faster.
    if (id === path.basename(part)) nodeFs.truncateSync(path.join(app.directory, id), 1)
    return newLock(id)
  }
  t.match(await final(app, [part]), { statusCode: 423, headers: { 'retry-after': '1' } })
  nodeFs.writeFileSync(path.join(app.directory, `${path.basename(part)}.json`), JSON.stringify({
    id: path.basename(part), size: 2, offset: 0, concatenation: { header: 'partial' }, finished: false
  }))
  nodeFs.writeFileSync(path.join(app.directory, path.basename(part)), 'ab')
  t.match(await final(app, [part]), { statusCode: 423, headers: { 'retry-after': '1' } })
  t.same(await fs.readdir(app.directory), before, 'nothing of it is kept')
})
