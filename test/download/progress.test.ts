import { text } from 'node:stream/consumers'
import Fastify from 'fastify'
import t from 'tap'
import type { Test } from 'tap'
import { ProgressEvents } from '../../plugin/download/progress-events.ts'
import type { FastifyTusOptions, Upload } from '../../plugin/index.ts'
import { MemoryLocker } from '../../plugin/index.ts'
import { EventPublisher } from '../../plugin/uploads/events/events.ts'
import { Followers } from '../../plugin/uploads/events/followers.ts'
import { build, until } from '../helper.ts'
import { finished } from './files.ts'
import { read, type Reader } from './reader.ts'

interface Progress { offset: number, length: number | null, rate: number, state: string }

const EVENTS = { accept: 'text/event-stream' }

async function rig (t: Test, options: FastifyTusOptions = {}) {
  const built = await build(t, options)
  const base = await built.listen()
  return { ...built, watch: (url: string, headers = {}) => read(t, `${base}${url}`, { ...EVENTS, ...headers }) }
}

/** The data of the events received so far. */
function eventsOf (reader: Reader): Progress[] {
  return reader.received().toString().split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => JSON.parse(line.slice('data: '.length)) as Progress)
}

t.test('an event stream reports the progress of an upload, to its end', async (t) => {
  const { create, patch, watch } = await rig(t)
  const url = await create(6)
  await patch(url, 0, 'a')
  const reader = await watch(url)
  t.equal(reader.status, 200)
  t.match(reader.headers, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  await until(() => eventsOf(reader).length === 1)
  t.same(eventsOf(reader), [{ offset: 1, length: 6, rate: 0, state: 'uploading' }])
  await patch(url, 1, 'bc')
  await until(() => eventsOf(reader).some(({ offset }) => offset === 3))
  t.ok((eventsOf(reader).at(-1) as Progress).rate > 0)
  await until(() => eventsOf(reader).at(-1)?.rate === 0)
  await patch(url, 3, 'def')
  const events = (await reader.all).toString()
  t.match(eventsOf(reader).at(-1), { offset: 6, length: 6, state: 'finished' })
  t.match(events, /^(event: progress\n(id: last\n)?data: \{.*\}\n\n)+$/)
  t.match(events, /id: last\ndata: \{.*"finished"\}\n\n$/)
})

t.test('a finished upload sends one event, and no reconnection follows', async (t) => {
  const built = await rig(t)
  const url = await finished(built, 'abc')
  const reader = await built.watch(url)
  await reader.all
  t.match(eventsOf(reader), [{ offset: 3, length: 3, rate: 0, state: 'finished' }])
  const again = await built.watch(url, { 'last-event-id': 'last' })
  t.equal(again.status, 204)
})

t.test('without Accept: text/event-stream, the response is the file', async (t) => {
  const built = await rig(t)
  const url = await finished(built, 'abc')
  for (const accept of ['*/*', 'text/*', 'text/event-streams', 'video/webm,video/*;q=0.9']) {
    t.equal((await built.app.inject({ url, headers: { accept } })).body, 'abc', accept)
  }
  for (const accept of ['text/event-stream; q=1', 'application/json, text/event-stream']) {
    t.match((await built.app.inject({ url, headers: { accept } })).body, /^event: progress/, accept)
  }
})

t.test('an unknown length is null, and a running finish hook is a state', async (t) => {
  let release = () => {}
  const released = new Promise<void>((resolve) => { release = resolve })
  const { create, patch, watch } = await rig(t, { onUploadFinish: () => released })
  const url = await create('deferred')
  const reader = await watch(url)
  await until(() => eventsOf(reader).length === 1)
  t.equal(eventsOf(reader)[0]?.length, null)
  const patched = patch(url, 0, 'abc', { 'upload-length': '3' })
  await until(() => eventsOf(reader).at(-1)?.state === 'processing')
  release()
  await patched
  await reader.all
  t.match(eventsOf(reader).at(-1), { offset: 3, length: 3, state: 'finished' })
})

t.test('the deletion of an upload is reported as gone', async (t) => {
  const { create, request, watch } = await rig(t)
  const url = await create(6)
  const reader = await watch(url)
  await request('DELETE', url)
  t.match((await reader.all).toString(), /id: last\ndata: .*"gone"/)
  t.equal((await watch(url)).status, 404)
})

t.test('watchers do not keep the app from closing', async (t) => {
  const { app, create, watch } = await rig(t)
  const reader = await watch(await create(6))
  await app.close()
  await reader.all.catch(() => {})
  t.notMatch(reader.received().toString(), /gone/)
})

t.test('an idle stream is kept alive by comments, and an unread one does not accumulate any', async (t) => {
  // Replaces the connection that would keep the process alive.
  const alive = setInterval(() => {}, 1000)
  t.teardown(() => clearInterval(alive))
  let upload: Upload = { id: 'a', offset: 0, size: 9 }
  const events = new EventPublisher(Fastify({ logger: false }).log)
  const followers = new Followers({
    find: async () => upload,
    read: async () => t.fail('no bytes are needed') as never,
    shutdown: new AbortController().signal
  }, events, new MemoryLocker())
  const silent = new ProgressEvents(followers, upload, 0)
  const texts: string[] = []
  for await (const event of silent) {
    texts.push(String(event))
    if (texts.length === 3) break
  }
  t.same(texts.slice(1), [':\n\n', ':\n\n'])

  const unread = new ProgressEvents(followers, upload, 0)
  const other = new ProgressEvents(followers, upload, 0)
  let ticks = 0
  for await (const event of other) {
    ticks += String(event).split('\n\n').length - 1
    if (ticks >= 3) break
  }
  t.equal(unread.readableLength, 0)
  upload = { ...upload, offset: 9 }
  events.publish('completed', { upload, request: null })
  const rest = await text(unread)
  t.match(rest, /"offset":9.*"finished"/)
})

t.test('authorize is called with the action read', async (t) => {
  const { create, watch } = await rig(t, { authorize: (_request, { action }) => action !== 'read' })
  t.equal((await watch(await create(6))).status, 403)
})
