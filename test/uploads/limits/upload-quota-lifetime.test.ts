import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import type { Test } from 'tap'
import { FileStore } from '../../../plugin/index.ts'
import { BreakableStore } from '../../broken-store.ts'
import { build, until } from '../../helper.ts'

const HOUR = 3_600_000
const SHA1_OF_AB = createHash('sha1').update('ab').digest('base64')
const expiration = { period: HOUR }

/** Sets this process's clock ahead, for one test. */
function laterIn (t: Test): (ms: number) => void {
  return (ms) => {
    const now = Date.now
    t.intercept(Date, 'now', { value: () => now() + ms })
  }
}

t.test('EDGE-73 an interrupted body extends the lifetime of an upload, and the upload counts that long', async (t) => {
  const { post, create, stall, head, untilStored } = await build(t, { expiration, maxUploads: 1 })
  const location = await create(9)
  const later = laterIn(t)
  later(0.6 * HOUR)
  const { socket } = await stall(location, 0, 9, 'abc')
  await untilStored(location, 3)
  socket.destroy()
  t.equal((await head(location)).headers['upload-offset'], '3')
  later(0.6 * HOUR)
  t.equal((await post({ 'upload-length': '3' })).statusCode, 503)
})

t.test('EDGE-73 an upload whose body takes long counts all the time', async (t) => {
  let stored = 0
  const { post, create, stall } = await build(t, {
    expiration, maxUploads: 1, progressInterval: 0, onProgress: (_request, { offset }) => { stored = offset }
  })
  const location = await create(9)
  const later = laterIn(t)
  later(0.6 * HOUR)
  const { socket } = await stall(location, 0, 9, 'abc')
  await until(() => stored === 3)
  later(0.6 * HOUR)
  t.equal((await post({ 'upload-length': '3' })).statusCode, 503)
  socket.destroy()
})

t.test('EDGE-73 expired uploads no longer count, however they were deleted', async (t) => {
  const { create, patch, directory } = await build(t, { expiration: { period: HOUR, sweepInterval: 0 }, maxUploads: 2 })
  const later = laterIn(t)
  const one = await create(3)
  await create(3)
  later(0.6 * HOUR)
  t.equal((await patch(one, 0, 'a')).statusCode, 204)
  later(0.6 * HOUR)
  await create(3)
  t.pass('the unused upload no longer counts')
  later(2 * HOUR)
  await create(3)
  t.pass('nor do the others')
  t.equal((await readdir(directory)).length, 8)
})

t.test('EDGE-73 an upload that a sweep deletes no longer counts', async (t) => {
  const { post, create } = await build(t, { expiration: { period: 30, sweepInterval: 5 }, maxUploads: 1 })
  await create(3)
  await until(async () => (await post({ 'upload-length': '3' })).statusCode === 201)
  t.pass()
})

t.test('EDGE-73 an upload that expires while its body arrives counts', async (t) => {
  const { post, create, stall, untilStored } = await build(t, {
    expiration: { period: HOUR, sweepInterval: 0 }, maxUploads: 1, perClient: { maxUploads: 1 }
  })
  const location = await create(3)
  // Bytes with a checksum are not stored before the last one.
  const { socket, response } = await stall(location, 0, 2, 'a', { 'upload-checksum': `sha1 ${SHA1_OF_AB}` })
  await untilStored(location, 1)
  laterIn(t)(2 * HOUR)
  t.equal((await post({ 'upload-length': '3' })).statusCode, 503)
  socket.write('b')
  t.equal((await response).status, 204)
  t.equal((await post({ 'upload-length': '3' })).statusCode, 503)
})

t.test('EDGE-28 an upload counts, although the one before with its id was deleted meanwhile', async (t) => {
  for (const limit of [{ maxUploads: 2 }, { perClient: { maxUploads: 2 } }]) {
    let held: Promise<void> | undefined
    let id = ''
    const { post, create, request } = await build(t, {
      expiration, ...limit, namingFunction: () => id, onUploadCreate: async () => { await held }
    })
    id = 'one'
    const one = await create(3)
    let go = () => {}
    held = new Promise((resolve) => { go = resolve })
    const again = post({ 'upload-length': '3' })
    await wait(20)
    t.equal((await request('DELETE', one)).statusCode, 204)
    held = undefined
    id = 'two'
    await create(3)
    id = 'three'
    t.ok((await post({ 'upload-length': '3' })).statusCode >= 429, 'a creation under way counts')
    go()
    t.equal((await again).statusCode, 201)
    t.ok((await post({ 'upload-length': '3' })).statusCode >= 429)
    id = 'one'
    t.match(await post({ 'upload-length': '3' }), { statusCode: 409, body: /FST_TUS_EXISTS/ })
  }
})

t.test('EDGE-73 an upload that the app or another process has deleted does not count forever', async (t) => {
  const directory = t.testdir()
  const store = new FileStore({ directory })
  const { create, post } = await build(t, {
    datastore: store, maxUploads: 2, expiration: { period: 24 * HOUR, sweepInterval: 0 }
  })
  const location = await create(3)
  await create(3)
  await store.remove(path.basename(location))
  laterIn(t)(1.1 * HOUR)
  await create(3)
  t.equal((await post({ 'upload-length': '3' })).statusCode, 503, 'the other one still counts')
})

t.test('EDGE-28 an id of an upload that another process has deleted is free', async (t) => {
  const directory = t.testdir()
  const store = new FileStore({ directory })
  const { create } = await build(t, { datastore: store, expiration, maxUploads: 1, namingFunction: () => 'same' })
  await create(3)
  await store.remove('same')
  await create(3)
})

t.test('EDGE-73 an upload that the store cannot read still counts', async (t) => {
  const datastore = new BreakableStore({ directory: t.testdir() })
  const { create, post } = await build(t, {
    datastore, expiration: { period: HOUR, sweepInterval: 0 }, maxUploads: 1
  })
  await create(3)
  datastore.isBroken = true
  laterIn(t)(2 * HOUR)
  t.equal((await post({ 'upload-length': '3' })).statusCode, 503)
})
