import t from 'tap'
import fastifyTus, { FileStore } from '../../plugin/index.ts'
import type { FastifyTusOptions } from '../../plugin/index.ts'
import { build, OFFSET_OCTET_STREAM, sampleBytes, sha256 } from '../helper.ts'
import type { Built } from '../helper.ts'
import { rawRequest } from '../raw-request.ts'

/** A hook that waits, and resolves `reached` once it runs. */
function gate (): { reached: Promise<void>, open: () => void, pass: () => Promise<void> } {
  let isReached = () => {}
  let open = () => {}
  const reached = new Promise<void>((resolve) => { isReached = resolve })
  const opened = new Promise<void>((resolve) => { open = resolve })
  return { reached, open, pass: () => { isReached(); return opened } }
}

/** Begins to close the app; the end of an open body shows that it is closing. */
async function beginToClose ({ app, create, stall, untilStored }: Built): Promise<{ closed: Promise<unknown> }> {
  const location = await create(6)
  const { response } = await stall(location, 0, 6, 'abc')
  await untilStored(location, 3)
  const closed = Promise.resolve(app.close())
  if ((await response).status !== 503) throw new Error('a body continued while the app was closed')
  return { closed }
}

t.test('LOCK-08 closing the app keeps the received bytes, and the next one resumes the upload', async (t) => {
  const bytes = sampleBytes(300_000)
  const directory = t.testdir()
  const first = await build(t, { directory, idleTimeout: 0 })
  const locations = await Promise.all(Array.from({ length: 10 }, () => first.create(bytes.length)))
  const bodies = await Promise.all(locations.map((location, i) =>
    first.stall(location, 0, bytes.length, bytes.subarray(0, 100_000 + i))))
  await Promise.all(locations.map((location, i) => first.untilStored(location, 100_000 + i)))

  // These bodies end only because the app closes, so this resolves only then.
  await first.app.close()
  for (const [i, { response }] of bodies.entries()) {
    const { status, headers, body } = await response
    t.equal(status, 503)
    t.match(headers, {
      connection: 'close',
      'retry-after': '1',
      'upload-offset': String(100_000 + i),
      'tus-resumable': '1.0.0',
      'access-control-allow-origin': '*'
    })
    t.match(JSON.parse(body), { code: 'FST_TUS_SHUTDOWN' })
  }

  const second = await build(t, { directory })
  for (const [i, location] of locations.entries()) {
    t.equal((await second.head(location)).headers['upload-offset'], String(100_000 + i))
    t.equal((await second.patch(location, 100_000 + i, bytes.subarray(100_000 + i))).statusCode, 204)
    t.equal(sha256(await second.stored(location)), sha256(bytes))
  }
})

t.test('LOCK-08 the first bytes of a creation are kept too', async (t) => {
  const directory = t.testdir()
  const options: FastifyTusOptions = { namingFunction: () => 'first', directory }
  const first = await build(t, options)
  const { response } = await rawRequest(t, await first.listen(), 'POST', '/files', {
    'tus-resumable': '1.0.0', 'upload-length': '6', 'content-type': OFFSET_OCTET_STREAM, 'content-length': '6'
  }, 'abc')
  await first.untilStored('/files/first', 3)
  await first.app.close()
  t.match(await response, { status: 503, headers: { connection: 'close' } })
  const second = await build(t, options)
  t.equal((await second.head('/files/first')).headers['upload-offset'], '3')
  t.equal((await second.patch('/files/first', 3, 'def')).statusCode, 204)
})

t.test('LOCK-08 the bodies of all registrations in one app end', async (t) => {
  const directory = t.testdir()
  const datastore = new FileStore({ directory })
  const { app, stall, listen, request, untilStored } = await build(t, { directory }, {}, async (app) => {
    await app.register(fastifyTus, { prefix: '/videos', datastore, idleTimeout: 0 })
  })
  await listen()
  const responses = []
  for (const url of ['/files', '/videos']) {
    const location = (await request('POST', url, { 'upload-length': '6' })).headers.location as string
    responses.push((await stall(location, 0, 6, 'abc')).response)
    await untilStored(location, 3)
  }
  await app.close()
  for (const response of responses) t.equal((await response).status, 503)
})

t.test('LOCK-08 a body that has fully arrived when the app closes is stored, with a normal response', async (t) => {
  const { reached, open, pass } = gate()
  const built = await build(t, { onUploadFinish: pass })
  const { socket, response } = await built.stall(await built.create(3), 0, 3, 'abc')
  await reached
  const { closed } = await beginToClose(built)
  open()
  const { status, headers } = await response
  t.match({ status, headers }, { status: 204, headers: { 'upload-offset': '3' } })
  t.equal(headers['connection'], 'close', 'a client that kept its connection would keep the app from closing')
  socket.destroy()
  await closed
})

t.test('LOCK-08 no body begins while the app closes', async (t) => {
  const { reached, open, pass } = gate()
  const built = await build(t, {
    // If it began, this would end it, and the connection with it.
    idleTimeout: 500,
    authorize: ({ headers }) => headers.authorization === undefined ? undefined : pass()
  })
  const { socket, response } = await built.stall(await built.create(6), 0, 6, 'abc', { authorization: 'me' })
  await reached
  const { closed } = await beginToClose(built)
  open()
  t.match(await response, { status: 503, headers: { connection: 'close' } })
  socket.destroy()
  await closed
})

t.test('LOCK-08 HEAD while the app closes returns the stored offset', async (t) => {
  const { reached, open, pass } = gate()
  const built = await build(t, {
    authorize: (_request, { action }) => action === 'inspect' ? pass() : undefined
  })
  const location = await built.create(6)
  await built.patch(location, 0, 'abc')
  const { socket, response } = await rawRequest(t, await built.listen(), 'HEAD', location, { 'tus-resumable': '1.0.0' })
  await reached
  const { closed } = await beginToClose(built)
  open()
  const { status, headers } = await response
  t.match({ status, headers }, { status: 200, headers: { 'upload-offset': '3', 'upload-length': '6' } })
  t.equal(headers['connection'], 'close')
  socket.destroy()
  await closed
})
