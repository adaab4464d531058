import cors from '@fastify/cors'
import t from 'tap'
import { TUS_METHODS, TUS_REQUEST_HEADERS, TUS_RESPONSE_HEADERS } from '../../plugin/index.ts'
import { build } from '../helper.ts'

const origin = 'https://app.example'
const preflight = { origin, 'access-control-request-method': 'PATCH' }

const listOf = (header: unknown) => String(header).split(', ')
const corsHeadersOf = (headers: object) => Object.keys(headers).filter((name) => name.startsWith('access-control-'))

t.test('CORS-05 cors: false leaves CORS to the app', async (t) => {
  const { app, post } = await build(t, { cors: false })
  const asked = await app.inject({ method: 'OPTIONS', url: '/files', headers: preflight })
  t.equal(asked.statusCode, 204)
  for (const { headers } of [asked, await post({ 'upload-length': '3', origin })]) {
    t.same(corsHeadersOf(headers), [])
    t.notOk('vary' in headers)
    t.equal(headers['tus-resumable'], '1.0.0')
  }
})

t.test('CORS-04 an existing Vary header is kept', async (t) => {
  const { post } = await build(t, { cors: { origin: [origin] } }, {}, (app) => {
    app.addHook('onRequest', async (_request, reply) => { reply.header('vary', 'Accept-Encoding') })
  })
  t.equal((await post({ 'upload-length': '3', origin })).headers.vary, 'Accept-Encoding, Origin')
})

t.test('CORS-05 an allowed origin that the app set is kept', async (t) => {
  const { post } = await build(t, {}, {}, (app) => {
    app.addHook('onRequest', async (_request, reply) => { reply.header('access-control-allow-origin', 'https://mine') })
  })
  t.same(corsHeadersOf((await post({ 'upload-length': '3', origin })).headers), ['access-control-allow-origin'])
})

const fastifyCors = (allowed: string | string[]) => ({
  origin: allowed,
  methods: [...TUS_METHODS],
  allowedHeaders: [...TUS_REQUEST_HEADERS],
  exposedHeaders: [...TUS_RESPONSE_HEADERS]
})

t.test('CORS-05 with @fastify/cors and the exported lists, no header is duplicated', async (t) => {
  const { app, post } = await build(t, {}, {}, async (app) => {
    await app.register(cors, fastifyCors([origin]))
  })
  const asked = await app.inject({ method: 'OPTIONS', url: '/files', headers: preflight })
  t.equal(asked.statusCode, 204)
  t.equal(asked.headers['access-control-allow-origin'], origin)
  t.same(listOf(asked.headers['access-control-allow-methods']), TUS_METHODS)
  t.same(listOf(asked.headers['access-control-allow-headers']), TUS_REQUEST_HEADERS)
  const created = await post({ 'upload-length': '3', origin })
  t.equal(created.headers['access-control-allow-origin'], origin)
  t.same(listOf(created.headers['access-control-expose-headers']), TUS_RESPONSE_HEADERS)
  t.equal(created.headers.vary, 'Origin')
})

t.test('CORS-05 an origin that @fastify/cors does not allow is not allowed', async (t) => {
  const { post } = await build(t, {}, {}, async (app) => {
    await app.register(cors, fastifyCors([origin]))
  })
  const { headers } = await post({ 'upload-length': '3', origin: 'https://evil.example' })
  t.notOk('access-control-allow-origin' in headers)
})

t.test('CORE-04 @fastify/cors leaves OPTIONS to the plugin if configured to', async (t) => {
  const { app } = await build(t, {}, {}, async (app) => {
    await app.register(cors, { ...fastifyCors([origin]), strictPreflight: false, preflightContinue: true })
  })
  const plain = await app.inject({ method: 'OPTIONS', url: '/files' })
  t.match(plain, { statusCode: 204, headers: { 'tus-version': '1.0.0', 'tus-extension': /creation/ } })
  const asked = await app.inject({ method: 'OPTIONS', url: '/files', headers: preflight })
  t.match(asked, { statusCode: 204, headers: { 'access-control-allow-origin': origin } })
  t.same(listOf(asked.headers['access-control-allow-methods']), TUS_METHODS)
  const refused = await app.inject({
    method: 'OPTIONS', url: '/files', headers: { ...preflight, origin: 'https://evil.example' }
  })
  t.notOk('access-control-allow-origin' in refused.headers)
})
