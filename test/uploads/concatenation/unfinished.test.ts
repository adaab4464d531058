import nodeFs from 'node:fs'
import fs from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { FileStore, MemoryLocker } from '../../../plugin/index.ts'
import type { Capability, Upload, UploadChanges } from '../../../plugin/index.ts'
import { fileSystem } from '../../../plugin/stores/file/file-system/file-system.ts'
import { build, type Built, until } from '../../helper.ts'
import { ForeignStore } from '../../foreign-store.ts'

/** A final upload of a complete part, `ab`, and of an empty part of length 3. */
async function waiting (app: Built): Promise<{ location: string, completePart: string, growing: string }> {
  const completePart = await app.create(2, { 'upload-concat': 'partial' })
  await app.patch(completePart, 0, 'ab')
  const growing = await app.create(3, { 'upload-concat': 'partial' })
  const response = await app.post({ 'upload-concat': `final;${completePart} ${growing}` })
  t.equal(response.statusCode, 201)
  return { location: response.headers.location as string, completePart, growing }
}

t.test('CONCAT-07 a final upload whose parts grow has a length and no offset, and completes on its own', async (t) => {
  const finished: string[] = []
  const app = await build(t, { onUploadFinish: (_request, { id }) => { finished.push(id) } })
  const { location, growing } = await waiting(app)
  const before = await app.head(location)
  t.match(before, { statusCode: 200, headers: { 'upload-length': '5' } })
  t.notOk('upload-offset' in before.headers)
  t.equal((await app.app.inject(location)).statusCode, 404)
  t.equal((await app.patch(growing, 0, 'c')).statusCode, 204)
  t.notOk('upload-offset' in (await app.head(location)).headers)
  t.equal((await app.patch(growing, 1, 'de')).statusCode, 204)
  await until(() => finished.length > 0)
  t.match((await app.head(location)).headers, { 'upload-offset': '5', 'upload-length': '5' })
  t.equal((await app.request('GET', location)).body, 'abcde')
  t.same(finished, [path.basename(location)], 'the finish hook ran once')
})

t.test('a waiting final upload is found again after a restart', async (t) => {
  const first = await build(t)
  const { location, growing } = await waiting(first)
  await first.app.close()

  const finished: unknown[] = []
  const second = await build(t, { directory: first.directory, onUploadFinish: (request) => { finished.push(request) } })
  await second.patch(growing, 0, 'cde')
  await until(async () => (await second.request('GET', location)).statusCode === 200)
  t.equal((await second.request('GET', location)).body, 'abcde')
  t.equal(finished.length, 1)
})

t.test('a concatenation that a crash prevented is done by the sweep at startup, and by HEAD', async (t) => {
  for (const contact of ['sweep', 'head']) {
    const app = await build(t)
    const { location, growing } = await waiting(app)
    await app.app.close()
    // The last part was completed, and the process ended before the concatenation.
    await fs.writeFile(path.join(app.directory, path.basename(growing)), 'cde')
    let finished = 0
    const again = await build(t, { directory: app.directory, onUploadFinish: () => { finished++ } })
    if (contact === 'head') t.equal((await again.head(location)).headers['upload-offset'], '5')
    await until(async () => (await again.request('GET', location)).statusCode === 200)
    t.equal((await again.request('GET', location)).body, 'abcde')
    await again.app.close()
    t.equal(finished, 1, contact)
  }
})

t.test('CONCAT-16 a failed concatenation leaves nothing of the final upload', async (t) => {
  const directory = t.testdir()
  const fault = async () => { throw Object.assign(new Error('full'), { code: 'ENOSPC' }) }
  for (const call of ['copyFile', 'rename'] as const) {
    const broken = { ...fileSystem }
    const app = await build(t, { datastore: new FileStore({ directory, fs: broken }) })
    const part = await app.create(2, { 'upload-concat': 'partial' })
    await app.patch(part, 0, 'ab')
    const before = await fs.readdir(directory)
    broken[call] = fault
    const response = await app.post({ 'upload-concat': `final;${part}` })
    t.match(response, { statusCode: 507, body: /FST_TUS_INSUFFICIENT_STORAGE/ })
    t.same(await fs.readdir(directory), before, call)
    t.equal((await app.head(part)).statusCode, 200, 'the part is unchanged')
  }
})

t.test('a concatenation that fails in the background is logged, and retried at the next request', async (t) => {
  const directory = t.testdir()
  const broken = { ...fileSystem }
  const app = await build(t, { datastore: new FileStore({ directory, fs: broken }) })
  const { location, growing } = await waiting({ ...app, directory })
  broken.copyFile = async () => { throw Object.assign(new Error('full'), { code: 'ENOSPC' }) }
  t.equal((await app.patch(growing, 0, 'cde')).statusCode, 204, 'the part is complete nevertheless')
  await until(() => app.logs.some(({ msg }) => msg === 'final upload not completed'))
  t.match(await app.head(location), { statusCode: 423, headers: { 'retry-after': '1' } })
  broken.copyFile = fileSystem.copyFile
  t.equal((await app.head(location)).headers['upload-offset'], '5')
})

t.test('the finish hook of a waiting final upload is called, however the store concatenates', async (t) => {
  class Joining extends ForeignStore {
    capabilities = new Set<Capability>(['creation', 'updates', 'concatenation'])
    async concatenate (upload: Upload, parts: Upload[]): Promise<Upload> {
      const final = this.uploads.get(upload.id) as { upload: Upload, bytes: Buffer[] }
      final.bytes = parts.map(({ id }) => this.bytesOf(id))
      final.upload = { ...upload, offset: upload.size as number, complete: true }
      return final.upload
    }

    async update ({ id }: Upload, changes: UploadChanges): Promise<void> {
      const entry = this.uploads.get(id) as { upload: Upload }
      entry.upload = { ...entry.upload, ...changes }
    }
  }
  const datastore = new Joining()
  const finished: string[] = []
  const app = await build(t, { datastore, onUploadFinish: (_request, { id }) => { finished.push(id) } })
  const { location, growing } = await waiting({ ...app, directory: '' })
  t.equal((await app.patch(growing, 0, 'cde')).statusCode, 204)
  await until(() => finished.includes(path.basename(location)))
  t.match(await app.head(location), { statusCode: 200, headers: { 'upload-offset': '5' } })
  t.same(finished, [path.basename(location)])
})

t.test('a final upload is deleted without an error if another process deletes a part too early', async (t) => {
  const locker = new MemoryLocker()
  const app = await build(t, { locker })
  const { location, completePart, growing } = await waiting(app)
  const newLock = locker.newLock.bind(locker)
  let isDeleted = false
  locker.newLock = (id) => {
    if (id === path.basename(completePart) && !isDeleted) {
      for (const name of [id, `${id}.json`]) nodeFs.unlinkSync(path.join(app.directory, name))
      isDeleted = true
    }
    return newLock(id)
  }
  t.equal((await app.patch(growing, 0, 'cde')).statusCode, 204)
  await until(() => app.logs.some(({ msg }) => msg === 'upload discarded'))
  t.equal((await app.head(location)).statusCode, 404)
  t.same(app.logs.filter(({ level }) => level >= 40), [])
})

t.test('a waiting final upload can be deleted, and its parts remain', async (t) => {
  const app = await build(t)
  const { location, growing } = await waiting(app)
  t.equal((await app.request('DELETE', location)).statusCode, 204)
  t.equal((await app.patch(growing, 0, 'cde')).statusCode, 204)
  t.equal((await app.head(location)).statusCode, 404)
  t.equal((await app.head(growing)).headers['upload-offset'], '3')
})

t.test('a part that is deleted while the final upload is created makes the creation fail', async (t) => {
  const locker = new MemoryLocker()
  const app = await build(t, { locker })
  const part = await app.create(3, { 'upload-concat': 'partial' })
  const newLock = locker.newLock.bind(locker)
  locker.newLock = (id) => {
    // Another request is faster.
    if (id === path.basename(part)) {
      for (const name of [id, `${id}.json`]) nodeFs.rmSync(path.join(app.directory, name), { force: true })
    }
    return newLock(id)
  }
  t.match(await app.post({ 'upload-concat': `final;${part}` }), { statusCode: 400, body: /a part was deleted/ })
  t.same(await fs.readdir(app.directory), [])
})

t.test('at most 10 final uploads wait for one part', async (t) => {
  const app = await build(t)
  const part = await app.create(3, { 'upload-concat': 'partial' })
  const finals: string[] = []
  for (let i = 0; i < 10; i++) {
    const { headers } = await app.post({ 'upload-concat': `final;${part}` })
    finals.push(headers.location as string)
  }
  t.match(await app.post({ 'upload-concat': `final;${part}` }), { statusCode: 400, body: /10 uploads already wait/ })
  t.equal((await app.request('DELETE', finals[0] as string)).statusCode, 204)
  t.equal((await app.post({ 'upload-concat': `final;${part}` })).statusCode, 201, 'a deleted one does not count')
})

t.test('a final upload keeps waiting if the store fails to read a part, and completes later', async (t) => {
  let isBroken = false
  let partId = ''
  const datastore = new class extends FileStore {
    override async getUpload (id: string) {
      if (isBroken && id === partId) throw Object.assign(new Error('broken'), { code: 'EIO' })
      return await super.getUpload(id)
    }

    override async update (...args: Parameters<FileStore['update']>) {
      await super.update(...args)
      // The part is complete; the rest of the test is about the final upload.
      isBroken = args[0].id === partId && args[1].finished === true
    }
  }({ directory: t.testdir() })
  const app = await build(t, { datastore })
  const part = await app.create(3, { 'upload-concat': 'partial' })
  partId = path.basename(part)
  const location = (await app.post({ 'upload-concat': `final;${part}` })).headers.location as string
  t.equal((await app.patch(part, 0, 'abc')).statusCode, 204)
  t.notOk('upload-offset' in (await app.head(location)).headers)
  isBroken = false
  t.equal((await app.head(location)).headers['upload-offset'], '3')
})

t.test('HEAD of a final upload that waits for many parts costs few reads', async (t) => {
  let reads = 0
  const datastore = new class extends FileStore {
    override async getUpload (id: string) {
      reads++
      return await super.getUpload(id)
    }
  }({ directory: t.testdir() })
  const app = await build(t, { datastore })
  const parts: string[] = []
  for (let i = 0; i < 50; i++) {
    const part = await app.create(1, { 'upload-concat': 'partial' })
    parts.push(part)
    if (i < 49) await app.patch(part, 0, 'a')
  }
  const { headers } = await app.post({ 'upload-concat': `final;${parts.join(' ')}` })
  const location = headers.location as string
  t.equal((await app.head(location)).statusCode, 200)
  reads = 0
  t.equal((await app.head(location)).statusCode, 200)
  t.ok(reads <= 3, `${reads} reads`)
  t.equal((await app.patch(parts[49] as string, 0, 'b')).statusCode, 204)
  await until(async () => (await app.request('GET', location)).body === 'a'.repeat(49) + 'b')
})

t.test('the creation of a final upload reads those that wait for its parts twice at most', async (t) => {
  const reads = new Map<string, number>()
  const datastore = new class extends FileStore {
    override async getUpload (id: string) {
      reads.set(id, (reads.get(id) ?? 0) + 1)
      return await super.getUpload(id)
    }
  }({ directory: t.testdir() })
  const app = await build(t, { datastore, expiration: { period: 3_600_000, sweepInterval: 0 } })
  const parts: string[] = []
  for (let i = 0; i < 20; i++) parts.push(await app.create(1, { 'upload-concat': 'partial' }))
  const finals: string[] = []
  const concatenate = async () => {
    // Reads in the background have ended once a HEAD has locked the last upload.
    if (finals.length > 0) await app.head(finals.at(-1) as string)
    reads.clear()
    const response = await app.post({ 'upload-concat': `final;${parts.join(' ')}` })
    for (const final of finals) t.ok((reads.get(path.basename(final)) ?? 0) <= 2, 'few reads')
    return response
  }
  for (let i = 0; i < 10; i++) finals.push((await concatenate()).headers.location as string)
  t.equal((await concatenate()).statusCode, 400)
  t.equal((await app.request('DELETE', finals.shift() as string)).statusCode, 204)
  finals.push((await concatenate()).headers.location as string)
  const now = Date.now
  t.intercept(Date, 'now', { value: () => now() + 7_200_000 })
  t.equal((await app.request('DELETE', finals.shift() as string)).statusCode, 204)
  t.equal((await concatenate()).statusCode, 201, 'the parts have expired, and other final uploads wait for them')
})

t.test('a final upload is deleted if one of its parts is deleted', async (t) => {
  const app = await build(t)
  for (const part of ['completePart', 'growing'] as const) {
    const uploads = await waiting(app)
    t.equal((await app.request('DELETE', uploads[part])).statusCode, 204)
    await until(() => app.logs.some(({ msg, uploadId }) =>
      msg === 'upload discarded' && uploadId === path.basename(uploads.location)))
    t.equal((await app.head(uploads.location)).statusCode, 404, part)
  }
})
