import { readdir } from 'node:fs/promises'
import path from 'node:path'
import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'
import fastifyTus, { FileStore } from '../../plugin/index.ts'
import { build, OFFSET_OCTET_STREAM } from '../helper.ts'

const tus = { 'tus-resumable': '1.0.0' }

/** Sends three bytes in the two requests of a client, and returns the path of the upload. */
async function uploadTo (app: FastifyInstance, endpoint: string): Promise<string> {
  const created = await app.inject({ method: 'POST', url: endpoint, headers: { ...tus, 'upload-length': '3' } })
  if (created.statusCode !== 201) throw new Error(`POST ${endpoint}: ${created.statusCode}`)
  const location = created.headers.location as string
  const headers = { ...tus, 'upload-offset': '0', 'content-type': OFFSET_OCTET_STREAM }
  const patched = await app.inject({ method: 'PATCH', url: location, headers, payload: 'abc' })
  if (patched.statusCode !== 204) throw new Error(`PATCH ${location}: ${patched.statusCode}`)
  return location
}

function bare (t: Test): FastifyInstance {
  const app = Fastify()
  t.teardown(() => app.close())
  return app
}

t.test('only a prefix and a directory are required', async (t) => {
  const directory = path.join(t.testdir(), 'not', 'there', 'yet')
  const app = bare(t)
  await app.register(fastifyTus, { prefix: '/files', directory })
  const location = await uploadTo(app, '/files')
  t.match(location, /^\/files\/[0-9a-f]{32}$/)
  t.equal((await app.inject(location)).body, 'abc')
})

t.test('CREATE-01 Location is right wherever the plugin is mounted', async (t) => {
  const cases: Array<[name: string, prefix: string | undefined, endpoint: string, location: RegExp]> = [
    ['a prefix', '/files', '/files', /^\/files\/[0-9a-f]+$/],
    ['a prefix of two segments', '/api/files', '/api/files', /^\/api\/files\/[0-9a-f]+$/],
    ['a prefix requested with a trailing slash', '/files', '/files/', /^\/files\/[0-9a-f]+$/],
    ['a prefix that ends with a slash', '/files/', '/files/', /^\/files\/[0-9a-f]+$/],
    ['the root as prefix', '/', '/', /^\/[0-9a-f]+$/],
    ['no prefix', undefined, '/', /^\/[0-9a-f]+$/],
    ['a parameter', '/users/:user/files', '/users/ann/files', /^\/users\/ann\/files\/[0-9a-f]+$/],
    ['an encoded parameter', '/users/:user', '/users/a%20%2Fb', /^\/users\/a%20%2Fb\/[0-9a-f]+$/],
    ['two parameters', '/:org/:user/files', '/acme/ann/files', /^\/acme\/ann\/files\/[0-9a-f]+$/],
    ['a parameter with a pattern', '/users/:user(^\\d+$)/files', '/users/7/files', /^\/users\/7\/files\/[0-9a-f]+$/]
  ]
  for (const [name, prefix, endpoint, expected] of cases) {
    await t.test(name, async (t) => {
      const directory = t.testdir()
      const app = bare(t)
      await app.register(fastifyTus, { directory, ...(prefix === undefined ? {} : { prefix }) })
      t.match(await uploadTo(app, endpoint), expected)
    })
  }
})

t.test('the plugin is mounted below the prefixes of its parents', async (t) => {
  const directory = t.testdir()
  const app = bare(t)
  await app.register(async (api) => {
    await api.register(async (v1) => {
      await v1.register(fastifyTus, { prefix: '/files', directory })
    }, { prefix: '/v1' })
  }, { prefix: '/api' })
  t.match(await uploadTo(app, '/api/v1/files'), /^\/api\/v1\/files\/[0-9a-f]{32}$/)
})

t.test('the plugin can be registered several times in one app', async (t) => {
  const directory = t.testdir({ photos: {}, videos: {} })
  const app = bare(t)
  await app.register(fastifyTus, { prefix: '/photos', directory: path.join(directory, 'photos'), maxSize: 3 })
  await app.register(fastifyTus, { prefix: '/videos', directory: path.join(directory, 'videos'), download: false })
  const photo = path.basename(await uploadTo(app, '/photos'))
  const video = path.basename(await uploadTo(app, '/videos'))
  t.same((await readdir(path.join(directory, 'photos'))).sort(), [photo, `${photo}.json`])
  t.same((await readdir(path.join(directory, 'videos'))).sort(), [video, `${video}.json`])

  t.equal((await app.inject(`/photos/${photo}`)).statusCode, 200)
  t.equal((await app.inject(`/videos/${video}`)).statusCode, 405, 'registrations do not share options')
  t.equal((await app.inject(`/photos/${video}`)).statusCode, 404, 'registrations do not share uploads')
  const tooLarge = { ...tus, 'upload-length': '4' }
  t.equal((await app.inject({ method: 'POST', url: '/photos', headers: tooLarge })).statusCode, 413)
  t.equal((await app.inject({ method: 'POST', url: '/videos', headers: tooLarge })).statusCode, 201)
})

t.test('the plugin does not change the surrounding app', async (t) => {
  const { app } = await build(t, {}, {}, (app) => {
    app.post('/json', (request) => ({ got: request.body }))
    app.get('/files-of-others', () => 'mine')
    app.addHook('onSend', async (_request, reply) => { reply.header('x-parent', 'yes') })
  })
  const json = await app.inject({ method: 'POST', url: '/json', payload: { a: 1 } })
  t.same(json.json(), { got: { a: 1 } }, 'the app keeps its JSON parser')
  t.notOk('tus-resumable' in json.headers, 'responses of the app are not tus responses')
  t.notOk('access-control-allow-origin' in json.headers)

  const binary = { 'content-type': OFFSET_OCTET_STREAM }
  const refused = await app.inject({ method: 'POST', url: '/json', headers: binary, payload: 'x' })
  t.equal(refused.statusCode, 415, 'no parser is added to the app')

  const missing = await app.inject('/nothing')
  t.equal(missing.statusCode, 404)
  t.match(missing.json(), { message: 'Route GET:/nothing not found' }, 'the app keeps its 404')
  t.notOk('tus-resumable' in missing.headers)
  t.equal((await app.inject('/files-of-others')).body, 'mine')

  for (const name of ['tus', 'store', 'datastore']) t.notOk(app.hasDecorator(name), name)
  t.notOk(app.hasRequestDecorator('tus'))
  t.notOk(app.hasReplyDecorator('tus'))
})

t.test('without a prefix, the other routes of the app keep working', async (t) => {
  const directory = t.testdir()
  const app = bare(t)
  app.get('/healthz', () => 'fine')
  app.post('/json', (request) => request.body)
  await app.register(fastifyTus, { directory })
  t.equal((await app.inject('/healthz')).body, 'fine')
  t.same((await app.inject({ method: 'POST', url: '/json', payload: { a: 1 } })).json(), { a: 1 })
  t.match(await uploadTo(app, '/'), /^\/[0-9a-f]{32}$/)
})

t.test('hooks, error handler and decorators of the app apply to the plugin', async (t) => {
  const { app, post, create } = await build(t, {
    authorize: (request) => { if ((request as { user?: string }).user === 'eve') throw new Error('secret') }
  }, {}, (app) => {
    app.decorateRequest('user', '')
    app.addHook('onRequest', async (request) => {
      Object.assign(request, { user: request.headers.authorization ?? '' })
    })
    app.addHook('onSend', async (_request, reply) => { reply.header('x-parent', 'yes') })
    app.setErrorHandler((error, _request, reply) => {
      const { code, statusCode = 500 } = error as { code: string, statusCode?: number }
      return reply.code(statusCode).send({ oops: code })
    })
  })
  const created = await post({ 'upload-length': '3' })
  t.equal(created.statusCode, 201)
  t.equal(created.headers['x-parent'], 'yes')
  const refused = await post({ 'upload-length': '3', authorization: 'eve' })
  t.equal(refused.statusCode, 500)
  t.same(refused.json(), { oops: 'FST_TUS_HOOK_FAILED' })
  t.equal(refused.headers['tus-resumable'], '1.0.0')
  t.equal((await app.inject({ method: 'PUT', url: await create(1) })).json().oops, 'FST_TUS_METHOD_NOT_ALLOWED')
})

t.test('CORE-01 a response sent by a hook of the app is a tus response too', async (t) => {
  const { directory, post } = await build(t, {}, {}, (app) => {
    app.addHook('onRequest', async (request, reply) => {
      if (request.headers.authorization === undefined) await reply.code(401).send({ message: 'who are you?' })
    })
  })
  const refused = await post({ 'upload-length': '3', origin: 'https://example.com' })
  t.equal(refused.statusCode, 401)
  t.same(refused.json(), { message: 'who are you?' })
  t.equal(refused.headers['tus-resumable'], '1.0.0')
  t.equal(refused.headers['access-control-allow-origin'], '*')
  t.match(refused.headers['access-control-expose-headers'], 'Upload-Offset')
  t.same(await readdir(directory), [], 'nothing was created')
  t.equal((await post({ 'upload-length': '3', authorization: 'me' })).statusCode, 201)
})

t.test('a store can be passed in, and used by the app itself', async (t) => {
  const datastore = new FileStore({ directory: t.testdir() })
  const app = bare(t)
  await app.register(fastifyTus, { prefix: '/files', datastore })
  const id = path.basename(await uploadTo(app, '/files'))
  t.match(await datastore.getUpload(id), { id, offset: 3, size: 3, finished: true })
  for await (const listed of datastore.list()) t.equal(listed, id)
  await datastore.remove(id)
  t.equal((await app.inject({ method: 'HEAD', url: `/files/${id}`, headers: tus })).statusCode, 404)
})

t.test('CORE-09 EDGE-18 OPTIONS is never overridden, since apps exempt it from authentication', async (t) => {
  const { create, request, head } = await build(t)
  const location = await create(3)
  const response = await request('OPTIONS', location, { 'x-http-method-override': 'DELETE' })
  t.equal(response.statusCode, 204)
  t.ok(response.headers['tus-version'])
  t.equal((await head(location)).statusCode, 200)
})

t.test('EDGE-17 no method is overridden with OPTIONS: a DELETE would seem to succeed', async (t) => {
  const { create, request, head } = await build(t)
  const location = await create(3)
  for (const method of ['DELETE', 'POST', 'GET', 'HEAD', 'PATCH']) {
    for (const override of ['OPTIONS', 'options']) {
      const response = await request(method, location, { 'x-http-method-override': override })
      t.equal(response.statusCode, 405, `${method} ${override}`)
      t.ok(response.headers.allow?.includes('DELETE'))
      if (method === 'HEAD') continue
      t.match(response.json(), {
        code: 'FST_TUS_METHOD_NOT_ALLOWED', message: `Method OPTIONS is not allowed: it does not override ${method}`
      })
    }
  }
  t.equal((await head(location)).statusCode, 200)
  t.equal((await request('OPTIONS', location, { 'x-http-method-override': 'OPTIONS' })).statusCode, 204)
})

t.test('CORE-09 EDGE-17 the error for an unknown method names it only if it is a valid name', async (t) => {
  const { request } = await build(t)
  for (const [method, named] of [
    ['m-search', 'M-SEARCH'], ['A'.repeat(30), 'A'.repeat(20)],
    ['\x9b2J', 'with an invalid name'], ['\xe9', 'with an invalid name'], ['<b>', 'with an invalid name']
  ] as const) {
    const response = await request('POST', '/files/x', { 'x-http-method-override': method })
    t.equal(response.statusCode, 405)
    t.equal(response.json().message,
      `Method ${named} is not allowed: this URL supports OPTIONS, HEAD, PATCH, DELETE, GET`)
  }
})

t.test('a GET of the creation URL says what the URL is for', async (t) => {
  const { request, create } = await build(t)
  const { statusCode, headers, json } = await request('GET', '/files')
  t.equal(statusCode, 405)
  t.equal(headers.allow, 'OPTIONS, POST')
  t.match(json().message, /^Method GET is not allowed: this URL creates resumable uploads, send a POST with a tus client/)
  t.equal((await request('PUT', await create(1))).json().message,
    'Method PUT is not allowed: this URL supports OPTIONS, HEAD, PATCH, DELETE, GET')
})

t.test('without creation, the creation URL does not suggest a POST', async (t) => {
  const { request } = await build(t, { extensions: { creation: false } })
  t.equal((await request('GET', '/files')).json().message, 'Method GET is not allowed: this URL supports OPTIONS')
})
