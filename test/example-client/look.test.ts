import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import type { Test } from 'tap'
import { describe, look } from '../../example-client/src/watch/look.ts'

async function serve (t: Test, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/files/1`
}

const events = (...data: object[]): RequestListener => (_request, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  // Left open, like that of a growing upload.
  response.write(data.map(each => `event: progress\ndata: ${JSON.stringify(each)}\n\n`).join(''))
}

t.test('the first event is used, and later ones are ignored', async t => {
  const url = await serve(t, events({ offset: 3, length: 10, state: 'uploading' }, { offset: 5, length: 10 }))
  t.same(await look(url), { offset: 3, length: 10 })
})

t.test('the length of a running recording is unknown', async t => {
  const url = await serve(t, events({ offset: 3, length: null, state: 'uploading' }))
  t.same(await look(url), { offset: 3, length: null })
})

t.test('a deleted upload is `null`', async t => {
  t.equal(await look(await serve(t, events({ offset: 3, length: 10, state: 'gone' }))), null)
  for (const status of [404, 410]) {
    t.equal(await look(await serve(t, (_request, response) => response.writeHead(status).end())), null)
  }
})

t.test('an error response, or a response without an event, is an error', async t => {
  await t.rejects(look(await serve(t, (_request, response) => response.writeHead(503).end())), /status 503/)
  await t.rejects(look(await serve(t, (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end()
  })), /no event/)
})

t.test('the file of a server without events is complete', async t => {
  const url = await serve(t, (_request, response) => response.end('12345'))
  t.same(await look(url), { offset: 5, length: 5 })
})

t.test('the name and the type come from the download, whose body is not read', async t => {
  const url = await serve(t, (_request, response) => {
    response.writeHead(200, {
      'content-type': 'video/mp4; a=b',
      'content-disposition': 'inline; filename="?.mp4"; filename*=UTF-8\'\'%E5%81%87%E6%9C%9F.mp4'
    }).flushHeaders()
  })
  t.same(await describe(url), { name: '假期.mp4', type: 'video/mp4' })
})

t.test('an upload that cannot be read has no name and no type', async t => {
  const none = { name: null, type: '' }
  t.same(await describe(await serve(t, (_request, response) => response.writeHead(404).end())), none)
  t.same(await describe(await serve(t, (_request, response) => response.end())), none)
})
