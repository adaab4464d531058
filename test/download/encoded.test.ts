import { gunzipSync, gzipSync } from 'node:zlib'
import compress from '@fastify/compress'
import type { onSendAsyncHookHandler } from 'fastify'
import t from 'tap'
import { build } from '../helper.ts'
import { finished } from './files.ts'
import { rig } from './growing-rig.ts'

const TEXT = 'a text that gzip makes shorter. '.repeat(1000)
const gzip = { 'accept-encoding': 'gzip' }

t.test('@fastify/compress for all routes of the app does not change downloads', async (t) => {
  const built = await build(t, {}, {}, async (app) => {
    await app.register(compress, { threshold: 0 })
    app.get('/text', async (_request, reply) => reply.type('text/plain').send(TEXT))
  })
  t.equal((await built.app.inject({ url: '/text', headers: gzip })).headers['content-encoding'], 'gzip')
  for (const filetype of ['text/plain', 'application/octet-stream']) {
    const url = await finished(built, TEXT, { filetype })
    for (const headers of [{}, { range: 'bytes=2-' }]) {
      const plain = await built.app.inject({ url, headers })
      const response = await built.app.inject({ url, headers: { ...headers, ...gzip } })
      t.same({ ...response.headers, date: '' }, { ...plain.headers, date: '' })
      t.notOk('content-encoding' in response.headers)
      t.equal(response.headers['cache-control'], 'no-cache, no-transform')
      t.equal(response.body, plain.body)
    }
  }
})

t.test('@fastify/compress does not delay the bytes of a growing upload', async (t) => {
  const { create, patch, read } = await rig(t, {}, async (app) => { await app.register(compress, { threshold: 0 }) })
  const url = await create(6)
  const reader = await read(url, gzip)
  t.match(reader.headers, { 'content-length': '6', 'cache-control': 'no-store, no-transform' })
  const progress = await read(url, { ...gzip, accept: 'text/event-stream' })
  t.match(progress.headers, { 'cache-control': 'no-store, no-transform' })
  await patch(url, 0, 'abc')
  await reader.has(3)
  await patch(url, 3, 'def')
  t.equal((await reader.all).toString(), 'abcdef')
})

t.test('a download that a hook of the app has encoded has no validators, and no ranges', async (t) => {
  const encode: onSendAsyncHookHandler = async (request, reply, payload) => {
    if (request.method !== 'GET' || reply.statusCode !== 200) return payload
    const chunks = []
    for await (const chunk of payload as AsyncIterable<Buffer>) chunks.push(chunk)
    reply.header('content-encoding', 'gzip').removeHeader('content-length')
    return gzipSync(Buffer.concat(chunks))
  }
  for (const where of ['scope', 'route']) {
    const built = await build(t, {}, {}, (app) => {
      if (where === 'scope') app.addHook('onSend', encode)
      else app.addHook('onRoute', (route) => { route.onSend = [...[route.onSend ?? []].flat(), encode] })
    })
    const url = await finished(built, TEXT)
    const { headers, rawPayload } = await built.app.inject(url)
    t.equal(gunzipSync(rawPayload).toString(), TEXT)
    t.match(headers, { 'content-encoding': 'gzip', 'accept-ranges': 'none' }, where)
    t.notOk('etag' in headers || 'last-modified' in headers)
    t.match((await built.app.inject({ method: 'HEAD', url })).headers, { etag: /^"/, 'accept-ranges': 'bytes' })
  }
})
