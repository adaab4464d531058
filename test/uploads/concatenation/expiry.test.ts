import { createHash } from 'node:crypto'
import fs from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { FileStore } from '../../../plugin/index.ts'
import { build, type Built, until } from '../../helper.ts'

const HOUR = 3_600_000
const old = new Date(Date.now() - 48 * HOUR)
const expiration = { period: 24 * HOUR, sweepInterval: 0 }

/** Makes the last byte of an upload two days old. */
async function age ({ directory }: Built, location: string): Promise<void> {
  await fs.utimes(path.join(directory, path.basename(location)), old, old)
}

/** A final upload of a whole part, `ab`, and one of 3 bytes that has the first. */
async function waiting (app: Built) {
  const whole = await app.create(2, { 'upload-concat': 'partial' })
  await app.patch(whole, 0, 'ab')
  const growing = await app.create(3, { 'upload-concat': 'partial' })
  await app.patch(growing, 0, 'c')
  const { headers } = await app.post({ 'upload-concat': `final;${whole} ${growing}` })
  return { location: headers.location as string, whole, growing }
}

/** An app that sweeps at its start, and which uploads expired by that. */
async function sweepOf (t: Parameters<typeof build>[0], directory: string): Promise<{ app: Built, expired: string[] }> {
  const expired: string[] = []
  const app = await build(t, { directory, expiration, onUploadExpire: ({ id }) => { expired.push(`/files/${id}`) } })
  return { app, expired }
}

t.test('a final upload that waits lives as long as a part of it grows, and its parts with it', async (t) => {
  const first = await build(t, { expiration })
  const { location, whole, growing } = await waiting(first)
  const unused = await first.create(0, { 'upload-concat': 'partial' })
  await first.app.close()
  for (const url of [location, whole, unused]) await age(first, url)
  const { app, expired } = await sweepOf(t, first.directory)
  await until(() => expired.length > 0)
  t.same(expired, [unused], 'a part that nothing waits for is deleted')
  t.equal((await app.head(location)).statusCode, 200)
  t.equal((await app.head(whole)).statusCode, 200, 'also on the wire')
  t.equal((await app.patch(growing, 1, 'de')).statusCode, 204)
  await until(async () => (await app.request('GET', location)).statusCode === 200)
  t.equal((await app.request('GET', location)).body, 'abcde')
})

t.test('a final upload whose parts do not grow any more expires, and then they do', async (t) => {
  const first = await build(t, { expiration })
  const { location, whole, growing } = await waiting(first)
  await first.app.close()
  for (const url of [location, whole, growing]) await age(first, url)
  const { app, expired } = await sweepOf(t, first.directory)
  await until(() => expired.length === 3)
  t.same([...expired].sort(), [location, whole, growing].sort())
  await app.app.close()
  t.same(await fs.readdir(first.directory), [])
})

t.test('a sweep deletes a final upload if another process has deleted one of its parts', async (t) => {
  const first = await build(t, { expiration })
  const { location, whole, growing } = await waiting(first)
  await first.app.close()
  await new FileStore({ directory: first.directory }).remove(path.basename(growing))
  await age(first, whole)
  const { app, expired } = await sweepOf(t, first.directory)
  await until(() => app.logs.some(({ msg }) => msg === 'upload discarded'))
  t.equal((await app.head(location)).statusCode, 404)
  t.same(app.logs.filter(({ level }) => level >= 40), [])
  t.same(expired.filter((url) => url !== whole), [], 'its hook for expired uploads is not called')
})

t.test('a final upload waits for a part that is being written, however old its last byte is', async (t) => {
  const expired: string[] = []
  const first = await build(t, {
    expiration: { ...expiration, sweepInterval: 10 },
    onUploadExpire: ({ id }) => { expired.push(`/files/${id}`) }
  })
  const { location, whole, growing } = await waiting(first)
  const digest = createHash('sha1').update('de').digest('base64')
  const { socket, response } = await first.stall(growing, 1, 2, 'd', { 'upload-checksum': `sha1 ${digest}` })
  await first.untilStored(growing, 2)
  const other = await first.create(3)
  for (const url of [whole, growing, other]) await age(first, url)
  await until(() => expired.includes(other))
  // The sweep that deleted it may not have come to the final upload; the next one has.
  const another = await first.create(3)
  await age(first, another)
  await until(() => expired.includes(another))
  t.same(expired, [other, another])
  socket.write('e')
  t.equal((await response).status, 204)
  await until(async () => (await first.request('GET', location)).statusCode === 200)
  t.equal((await first.request('GET', location)).body, 'abcde')
})

t.test('a final upload whose parts are whole is completed, however old they are', async (t) => {
  const first = await build(t, { expiration })
  const { location, whole, growing } = await waiting(first)
  await first.app.close()
  await fs.appendFile(path.join(first.directory, path.basename(growing)), 'de')
  for (const url of [location, whole, growing]) await age(first, url)
  const { app } = await sweepOf(t, first.directory)
  await until(async () => (await app.request('GET', location)).statusCode === 200)
  t.equal((await app.request('GET', location)).body, 'abcde')
})

t.test('a final upload that is joined while a sweep looks at it does not keep its parts', async (t) => {
  const first = await build(t, { expiration })
  const { location, whole, growing } = await waiting(first)
  await first.app.close()
  let isJoined = () => {}
  const joined = new Promise<void>((resolve) => { isJoined = resolve })
  let looks = 0
  const datastore = new class extends FileStore {
    override async getUpload (id: string) {
      const upload = await super.getUpload(id)
      if (location.endsWith(id) && looks++ === 0) await joined
      return upload
    }
  }({ directory: first.directory })
  const expired: string[] = []
  const { head, patch } = await build(t, {
    datastore,
    expiration: { ...expiration, sweepInterval: 10 },
    onUploadExpire: ({ id }) => { expired.push(`/files/${id}`) }
  })
  await until(() => looks > 0)
  t.equal((await patch(growing, 1, 'de')).statusCode, 204)
  t.equal((await head(location)).headers['upload-offset'], '5')
  for (const part of [whole, growing]) await age(first, part)
  isJoined()
  await until(() => expired.length === 2)
  t.same([...expired].sort(), [whole, growing].sort())
})

t.test('a final upload that the app removed does not keep its parts', async (t) => {
  const directory = t.testdir()
  const store = new FileStore({ directory })
  const app = await build(t, { datastore: store })
  const { location, growing } = await waiting({ ...app, directory })
  // The app takes no lock: whatever still looks at it must be done.
  t.equal((await app.head(location)).statusCode, 200)
  await store.remove(path.basename(location))
  t.equal((await app.patch(growing, 1, 'de')).statusCode, 204)
  t.equal((await app.head(location)).statusCode, 404)
  await app.app.close()
  t.notOk(app.logs.some(({ msg }) => msg === 'final upload not completed'))
})

t.test('while the app closes no final upload is completed; the next start does it', async (t) => {
  const first = await build(t)
  const { location, growing } = await waiting(first)
  const { socket, response } = await first.stall(growing, 1, 2, 'd')
  await first.untilStored(growing, 2)
  // Its last byte is here, but not read, when the app begins to close.
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
