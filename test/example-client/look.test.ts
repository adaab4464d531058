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
  // Left open, as while an upload grows.
  response.write(data.map(each => `event: progress\ndata: ${JSON.stringify(each)}\n\n`).join(''))
}

t.test('the first event says how much is there, whatever comes later', async t => {
  const url = await serve(t, events({ offset: 3, length: 10, state: 'uploading' }, { offset: 5, length: 10 }))
  t.same(await look(url), { offset: 3, length: 10 })
})

t.test('the length of a recording that goes on is not known', async t => {
  const url = await serve(t, events({ offset: 3, length: null, state: 'uploading' }))
  t.same(await look(url), { offset: 3, length: null })
})

t.test('an upload that is gone is none', async t => {
  t.equal(await look(await serve(t, events({ offset: 3, length: 10, state: 'gone' }))), null)
  for (const status of [404, 410]) {
    t.equal(await look(await serve(t, (_request, response) => response.writeHead(status).end())), null)
  }
})

t.test('a server that answers with an error, or ends without an event, may be asked again', async t => {
  await t.rejects(look(await serve(t, (_request, response) => response.writeHead(503).end())), /status 503/)
  await t.rejects(look(await serve(t, (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end()
  })), /no event/)
})

t.test('a server without events has the whole file', async t => {
  const url = await serve(t, (_request, response) => response.end('12345'))
  t.same(await look(url), { offset: 5, length: 5 })
})

t.test('the name and the type are those of the download, which is not read', async t => {
  const url = await serve(t, (_request, response) => {
    response.writeHead(200, {
      'content-type': 'video/mp4; a=b',
      'content-disposition': 'inline; filename="?.mp4"; filename*=UTF-8\'\'%E5%81%87%E6%9C%9F.mp4'
    }).flushHeaders()
  })
  t.same(await describe(url), { name: '假期.mp4', type: 'video/mp4' })
})

t.test('of what cannot be read, or has no name, none is known', async t => {
  const none = { name: null, type: '' }
  t.same(await describe(await serve(t, (_request, response) => response.writeHead(404).end())), none)
  t.same(await describe(await serve(t, (_request, response) => response.end())), none)
})
