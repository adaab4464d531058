import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import Fastify from 'fastify'
import t from 'tap'
import type { Test } from 'tap'
import { MemoryLocker } from '../../../plugin/index.ts'
import type { UploadEventName, UploadEvents } from '../../../plugin/index.ts'
import { EventPublisher, uploadEventNames } from '../../../plugin/uploads/events/events.ts'
import { build, OFFSET_OCTET_STREAM, until } from '../../helper.ts'

type Published = { [Name in UploadEventName]: { name: Name, event: UploadEvents[Name] } }[UploadEventName]

/** Everything that is published on `node:diagnostics_channel` during a test. */
function watch (t: Test): Published[] {
  const published: Published[] = []
  for (const name of uploadEventNames) {
    const listener = (event: unknown) => { published.push({ name, event } as Published) }
    subscribe(`fastify-tus:upload:${name}`, listener)
    t.teardown(() => unsubscribe(`fastify-tus:upload:${name}`, listener))
  }
  return published
}

/** Events caused by requests: a sweep runs at startup and publishes too. */
const ofRequests = (published: Published[]) => published.filter(({ name }) => name !== 'found' && name !== 'swept')
const namesOf = (published: Published[]) => ofRequests(published).map(({ name }) => name)

t.test('each step in the life of an upload is published once, in order', async (t) => {
  const published = watch(t)
  const { create, patch, request } = await build(t)
  const location = await create(6)
  await patch(location, 0, 'abc')
  await patch(location, 3, 'def')
  await request('DELETE', location)
  t.same(namesOf(published), [
    'created',
    'appendStarted', 'stored', 'appendEnded',
    'appendStarted', 'stored', 'appendEnded', 'completed', 'finished',
    'terminated'
  ])
  const id = location.slice('/files/'.length)
  for (const { name, event } of ofRequests(published)) {
    if (!('upload' in event)) continue
    t.equal(event.upload.id, id, name)
    t.ok(event.request !== null, name)
  }
  t.match(published.filter(({ name }) => name === 'appendEnded').map(({ event }) => event), [
    { received: 3, offset: 3, error: undefined, upload: { offset: 0 } },
    { received: 3, offset: 6, error: undefined, upload: { offset: 3 } }
  ])
  t.match(published.find(({ name }) => name === 'completed')?.event, { upload: { offset: 6, size: 6 } })
})

t.test('a subscriber that changes what it gets does not change the outcome', async (t) => {
  for (const name of uploadEventNames) {
    const spoil = (event: unknown) => {
      const { upload } = event as { upload?: Record<string, unknown> }
      if (upload === undefined) return
      for (const nested of [upload['metadata'], upload['storage'], upload['concatenation']]) {
        for (const key of Object.keys(nested ?? {})) delete (nested as Record<string, unknown>)[key]
      }
      for (const key of Object.keys(upload)) delete upload[key]
    }
    subscribe(`fastify-tus:upload:${name}`, spoil)
    t.teardown(() => unsubscribe(`fastify-tus:upload:${name}`, spoil))
  }
  const { post, request, head } = await build(t)
  const bytes = { 'content-type': OFFSET_OCTET_STREAM, 'upload-metadata': 'filename YQ==,__proto__ YQ==' }
  const { statusCode, headers } = await post({ 'upload-length': '3', ...bytes }, 'abc')
  t.match({ statusCode, headers }, { statusCode: 201, headers: { 'upload-offset': '3' } })
  const location = headers.location as string
  t.match((await head(location)).headers, { 'upload-length': '3', 'upload-metadata': bytes['upload-metadata'] })
  t.match(await request('GET', location), { statusCode: 200, body: 'abc' })
  const part = (await post({ 'upload-length': '3', 'upload-concat': 'partial', ...bytes }, 'abc')).headers.location
  const final = await post({ 'upload-concat': `final;${part as string} ${part as string}` })
  t.match(await request('GET', final.headers.location as string), { statusCode: 200, body: 'abcabc' })
})

t.test('a creation with a body publishes the same steps', async (t) => {
  const published = watch(t)
  const { post } = await build(t)
  await post({ 'upload-length': '3', 'content-type': OFFSET_OCTET_STREAM }, 'abc')
  t.same(namesOf(published), ['created', 'appendStarted', 'stored', 'appendEnded', 'completed', 'finished'])
})

t.test('a body that ends early, is displaced or is refused publishes the reason', async (t) => {
  const published = watch(t)
  const { create, stall, untilStored, head, patch } = await build(t)
  const location = await create(6)
  const stalled = await stall(location, 0, 6, 'abc')
  await untilStored(location, 3)
  await head(location)
  await stalled.response
  await patch(location, 3, 'xyz', { 'upload-checksum': 'sha1 AAAAAAAAAAAAAAAAAAAAAAAAAAA=' })
  const ended = published.filter(({ name }) => name === 'appendEnded').map(({ event }) => event)
  t.match(ended, [
    { received: 3, offset: 3, error: { code: 'FST_TUS_DISPLACED' } },
    { received: 3, offset: 3, error: { code: 'FST_TUS_CHECKSUM_MISMATCH' } }
  ])
  t.equal(namesOf(published).filter((name) => name === 'displaced').length, 1)
  const waited = published.filter(({ name }) => name === 'lockWaited').map(({ event }) => event)
  t.match(waited, [{ uploadId: location.slice('/files/'.length), duration: Number, error: undefined }])
})

t.test('a request that times out waiting for the lock publishes that', async (t) => {
  const published = watch(t)
  const locker = new MemoryLocker()
  const { create, head } = await build(t, { lockTimeout: 1, locker })
  const location = await create(6)
  await locker.newLock(location.slice('/files/'.length)).lock(new AbortController().signal, () => {})
  t.equal((await head(location)).statusCode, 423)
  const waited = published.filter(({ name }) => name === 'lockWaited')
  t.match(waited, [{ event: { error: { code: 'FST_TUS_LOCKED' } } }])
})

t.test('a finish hook that refuses or fails publishes that', async (t) => {
  const published = watch(t)
  let statusCode = 503
  const { create, patch, head } = await build(t, {
    onUploadFinish: () => { throw Object.assign(new Error('no'), { statusCode }) }
  })
  const location = await create(3)
  await patch(location, 0, 'abc')
  statusCode = 422
  await head(location)
  t.same(namesOf(published).slice(-3), ['completed', 'finishFailed', 'refused'])
  const error = { message: 'no' }
  t.match(ofRequests(published).slice(-2).map(({ event }) => event), [{ error }, { error }])
})

t.test('a creation that is refused late publishes that the upload was discarded', async (t) => {
  const published = watch(t)
  const { post } = await build(t, { onUploadFinish: () => { throw new Error('no') } })
  await post({ 'upload-length': '0' })
  t.same(namesOf(published), ['created', 'completed', 'finishFailed', 'discarded'])
})

t.test('a sweep publishes the uploads that it finds and deletes', async (t) => {
  const published = watch(t)
  const directory = t.testdir()
  const first = await build(t, { directory })
  const location = await first.create(3)
  await first.app.close()
  published.length = 0
  await build(t, { directory, expiration: { period: 1, sweepInterval: 1 } })
  await until(() => published.some(({ name }) => name === 'expired'))
  await until(() => published.at(-1)?.name === 'swept')
  t.same(published.map(({ name }) => name).slice(0, 3), ['found', 'expired', 'swept'])
  t.match(published.slice(0, 3).map(({ event }) => event), [
    { upload: { id: location.slice('/files/'.length) }, request: null }, { request: null },
    { expired: 1, orphans: 0, duration: Number }
  ])
})

t.test('a final upload publishes its own steps', async (t) => {
  const published = watch(t)
  const { create, patch, post } = await build(t)
  const part = await create(3, { 'upload-concat': 'partial' })
  const { headers } = await post({ 'upload-concat': `final;${part}` })
  const final = String(headers.location).slice('/files/'.length)
  await patch(part, 0, 'abc')
  const ofFinal = () => ofRequests(published).filter(({ event }) => 'upload' in event && event.upload.id === final)
  await until(() => ofFinal().some(({ name }) => name === 'finished'))
  t.same(namesOf(ofFinal()), ['created', 'completed', 'finished'])
})

t.test('a subscriber that throws is logged, and changes nothing', async (t) => {
  const logged: Array<{ msg: string, event: string }> = []
  const stream = { write: (line: string) => { logged.push(JSON.parse(line)) } }
  const events = new EventPublisher(Fastify({ logger: { stream } }).log)
  let isCalled = false
  events.on('created', () => { throw new Error('no') })
  events.on('created', () => { isCalled = true })
  events.publish('created', { upload: { id: 'a', offset: 0 }, request: null })
  t.ok(isCalled)
  t.match(logged, [{ msg: 'event subscriber failed', event: 'created' }])
})
