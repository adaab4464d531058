import { createHash } from 'node:crypto'
import fs from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { FileStore } from '../../../plugin/index.ts'
import { build, type Built, until } from '../../helper.ts'

const HOUR = 3_600_000
const old = new Date(Date.now() - 48 * HOUR)
const expiration = { period: 24 * HOUR, sweepInterval: 0 }

/** Sets the time of the last write to an upload to two days ago. */
async function age ({ directory }: Built, location: string): Promise<void> {
  await fs.utimes(path.join(directory, path.basename(location)), old, old)
}

/** A final upload of a complete part, `ab`, and of a part with 1 of 3 bytes. */
async function waiting (app: Built) {
  const complete = await app.create(2, { 'upload-concat': 'partial' })
  await app.patch(complete, 0, 'ab')
  const growing = await app.create(3, { 'upload-concat': 'partial' })
  await app.patch(growing, 0, 'c')
  const { headers } = await app.post({ 'upload-concat': `final;${complete} ${growing}` })
  return { location: headers.location as string, complete, growing }
}

/** An app that sweeps once, at startup, and the uploads that expired in that sweep. */
async function sweepOf (t: Parameters<typeof build>[0], directory: string): Promise<{ app: Built, expired: string[] }> {
  const expired: string[] = []
  const app = await build(t, { directory, expiration, onUploadExpire: ({ id }) => { expired.push(`/files/${id}`) } })
  return { app, expired }
}

t.test('a waiting final upload and its parts do not expire while one of the parts grows', async (t) => {
  const first = await build(t, { expiration })
  const { location, complete, growing } = await waiting(first)
  const unused = await first.create(0, { 'upload-concat': 'partial' })
  await first.app.close()
  for (const url of [location, complete, unused]) await age(first, url)
  const { app, expired } = await sweepOf(t, first.directory)
  await until(() => expired.length > 0)
  t.same(expired, [unused], 'an unused part is deleted')
  t.equal((await app.head(location)).statusCode, 200)
  t.equal((await app.head(complete)).statusCode, 200, 'HEAD serves it')
  t.equal((await app.patch(growing, 1, 'de')).statusCode, 204)
  await until(async () => (await app.request('GET', location)).statusCode === 200)
  t.equal((await app.request('GET', location)).body, 'abcde')
})

t.test('a final upload whose parts no longer grow expires, and then its parts expire', async (t) => {
  const first = await build(t, { expiration })
  const { location, complete, growing } = await waiting(first)
  await first.app.close()
  for (const url of [location, complete, growing]) await age(first, url)
  const { app, expired } = await sweepOf(t, first.directory)
  await until(() => expired.length === 3)
  t.same([...expired].sort(), [location, complete, growing].sort())
  await app.app.close()
  t.same(await fs.readdir(first.directory), [])
})

t.test('a sweep deletes a final upload if another process has deleted one of its parts', async (t) => {
  const first = await build(t, { expiration })
  const { location, complete, growing } = await waiting(first)
  await first.app.close()
  await new FileStore({ directory: first.directory }).remove(path.basename(growing))
  await age(first, complete)
  const { app, expired } = await sweepOf(t, first.directory)
  await until(() => app.logs.some(({ msg }) => msg === 'upload discarded'))
  t.equal((await app.head(location)).statusCode, 404)
  t.same(app.logs.filter(({ level }) => level >= 40), [])
  t.same(expired.filter((url) => url !== complete), [], 'its hook for expired uploads is not called')
})

t.test('a final upload does not expire while a part is being written, however old its last byte is', async (t) => {
  const expired: string[] = []
  const first = await build(t, {
    expiration: { ...expiration, sweepInterval: 10 },
    onUploadExpire: ({ id }) => { expired.push(`/files/${id}`) }
  })
  const { location, complete, growing } = await waiting(first)
  const digest = createHash('sha1').update('de').digest('base64')
  const { socket, response } = await first.stall(growing, 1, 2, 'd', { 'upload-checksum': `sha1 ${digest}` })
  await first.untilStored(growing, 2)
  const other = await first.create(3)
  for (const url of [complete, growing, other]) await age(first, url)
  await until(() => expired.includes(other))
  // The sweep that deleted it may not have reached the final upload; the next one has.
  const another = await first.create(3)
  await age(first, another)
  await until(() => expired.includes(another))
  t.same(expired, [other, another])
  socket.write('e')
  t.equal((await response).status, 204)
  await until(async () => (await first.request('GET', location)).statusCode === 200)
  t.equal((await first.request('GET', location)).body, 'abcde')
})

t.test('a final upload whose parts are complete is concatenated, however old they are', async (t) => {
  const first = await build(t, { expiration })
  const { location, complete, growing } = await waiting(first)
  await first.app.close()
  await fs.appendFile(path.join(first.directory, path.basename(growing)), 'de')
  for (const url of [location, complete, growing]) await age(first, url)
  const { app } = await sweepOf(t, first.directory)
  await until(async () => (await app.request('GET', location)).statusCode === 200)
  t.equal((await app.request('GET', location)).body, 'abcde')
})

t.test('a final upload that completes while a sweep reads it no longer keeps its parts', async (t) => {
  const first = await build(t, { expiration })
  const { location, complete, growing } = await waiting(first)
  await first.app.close()
  let isJoined = () => {}
  const joined = new Promise<void>((resolve) => { isJoined = resolve })
  let reads = 0
  const datastore = new class extends FileStore {
    override async getUpload (id: string) {
      const upload = await super.getUpload(id)
      if (location.endsWith(id) && reads++ === 0) await joined
      return upload
    }
  }({ directory: first.directory })
  const expired: string[] = []
  const { head, patch } = await build(t, {
    datastore,
    expiration: { ...expiration, sweepInterval: 10 },
    onUploadExpire: ({ id }) => { expired.push(`/files/${id}`) }
  })
  await until(() => reads > 0)
  t.equal((await patch(growing, 1, 'de')).statusCode, 204)
  t.equal((await head(location)).headers['upload-offset'], '5')
  for (const part of [complete, growing]) await age(first, part)
  isJoined()
  await until(() => expired.length === 2)
  t.same([...expired].sort(), [complete, growing].sort())
})

t.test('a final upload that the app removed does not keep its parts', async (t) => {
  const directory = t.testdir()
  const store = new FileStore({ directory })
  const app = await build(t, { datastore: store })
  const { location, growing } = await waiting({ ...app, directory })
  // The app takes no lock: pending reads of the upload must have ended.
  t.equal((await app.head(location)).statusCode, 200)
  await store.remove(path.basename(location))
  t.equal((await app.patch(growing, 1, 'de')).statusCode, 204)
  t.equal((await app.head(location)).statusCode, 404)
  await app.app.close()
  t.notOk(app.logs.some(({ msg }) => msg === 'final upload not completed'))
})

t.test('no final upload is completed while the app closes; the next start completes it', async (t) => {
  const first = await build(t)
  const { location, growing } = await waiting(first)
  const { socket, response } = await first.stall(growing, 1, 2, 'd')
  await first.untilStored(growing, 2)
  // The last byte has arrived, but is not yet read, when the app begins to close.
  socket.write('e')
  const closing = first.app.close()
  await response.catch(() => {})
  await closing
  const second = await build(t, { directory: first.directory })
  const offset = Number((await second.head(growing)).headers['upload-offset'])
  if (offset < 3) await second.patch(growing, offset, 'cde'.slice(offset))
  await until(async () => (await second.request('GET', location)).statusCode === 200)
  t.equal((await second.request('GET', location)).body, 'abcde')
})
