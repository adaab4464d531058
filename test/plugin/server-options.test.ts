import { setTimeout as wait } from 'node:timers/promises'
import swagger from '@fastify/swagger'
import t from 'tap'
import type { FastifyTusOptions } from '../../plugin/index.ts'
import { build, OFFSET_OCTET_STREAM, until } from '../helper.ts'
import type { Built } from '../helper.ts'
import { rawRequest } from '../raw-request.ts'

t.test('EDGE-41 a requestTimeout of the server causes a warning, because it interrupts long bodies', async (t) => {
  const directory = t.testdir()
  const warned = await build(t, { directory }, { requestTimeout: 5000 })
  t.match(warned.logs.filter(({ level }) => level === 40), [{ msg: /^requestTimeout of 5000 ms ends bodies/ }])
  const silent = await build(t, { directory })
  t.same(silent.logs.filter(({ level }) => level >= 40), [])
})

t.test('PATCH-07 a handlerTimeout of the server does not interrupt a body that takes longer', async (t) => {
  const { app, create, stall } = await build(t, {}, { handlerTimeout: 50 }, (app) => {
    app.get('/slow', () => new Promise(() => {}))
  })
  const { socket, response } = await stall(await create(6), 0, 6, 'abc')
  // The body is still being received when a later request has reached the timeout.
  t.equal((await app.inject('/slow')).statusCode, 503)
  socket.write('def')
  t.match(await response, { status: 204, headers: { 'upload-offset': '6' } })
})

t.test('logLevel is the level of the routes', async (t) => {
  const directory = t.testdir()
  const said = ({ logs }: Built) => logs.filter((line) => line['reqId'] !== undefined)
  const loud = await build(t, { directory })
  await loud.create(3)
  await until(() => said(loud).length > 1)
  t.match(said(loud), [{ msg: 'incoming request' }, { msg: 'upload created' }])
  const quiet = await build(t, { directory, logLevel: 'warn' })
  await quiet.create(3)
  t.same(said(quiet), [])
  t.equal((await quiet.patch('/files/nothing', 0)).statusCode, 404)
})

t.test('@fastify/swagger lists the supported methods, and only if schemaHide is false', async (t) => {
  const pathsWith = async (options: FastifyTusOptions) => {
    const { app } = await build(t, options, {}, async (app) => { await app.register(swagger) })
    const { paths = {} } = app.swagger()
    return Object.entries(paths).map(([path, methods = {}]) => [path, Object.keys(methods).sort()])
  }
  t.same(await pathsWith({}), [])
  t.same(await pathsWith({ schemaHide: false }), [
    ['/files/', ['options', 'post']],
    ['/files/{uploadId}', ['delete', 'get', 'head', 'options', 'patch']]
  ])
  t.same(await pathsWith({ schemaHide: false, download: false, extensions: { termination: false } }), [
    ['/files/', ['options', 'post']],
    ['/files/{uploadId}', ['head', 'options', 'patch']]
  ])
})

t.test('CWU-05 a request is refused before the server asks for its body', async (t) => {
  const { create, listen, stall } = await build(t, { maxSize: 10 })
  const headers = { 'tus-resumable': '1.0.0', 'content-type': OFFSET_OCTET_STREAM, expect: '100-continue' }
  const refused = await rawRequest(t, await listen(), 'POST', '/files', {
    ...headers, 'upload-length': '11', 'content-length': '11'
  })
  t.equal((await refused.response).status, 413)
  t.equal(await Promise.race([refused.wanted, 'not wanted']), 'not wanted')

  const { socket, wanted, response } = await stall(await create(3), 0, 3, '', { expect: '100-continue' })
  await wanted
  socket.write('abc')
  t.equal((await response).status, 204)
})

const elsewhere: Array<[name: string, prefix: string | undefined, url: string]> = [
  ['below another path', '/files', '/json'],
  ['below a path that begins like the prefix', '/files', '/files-of-others'],
  ['of an app with a plugin without a prefix', undefined, '/json']
]
for (const [name, prefix, url] of elsewhere) {
  t.test(`a route ${name} gets its 100 Continue`, async (t) => {
    const { listen } = await build(t, { prefix } as never, {}, (app) => {
      app.post(url, (request) => ({ got: request.body }))
    })
    const { socket, wanted, response } = await rawRequest(t, await listen(), 'POST', url, {
      'content-type': 'application/json', 'content-length': '7', expect: '100-continue'
    })
    // A client without 100 Continue would wait; a timeout reports the failure sooner than the time limit.
    const tooLong = wait(2000, undefined, { ref: false }).then(() => { throw new Error('no 100 Continue') })
    await Promise.race([wanted, tooLong])
    socket.write('{"a":1}')
    t.match(await response, { status: 200, body: '{"got":{"a":1}}' })
  })
}

t.test('if the app handles Expect itself, the plugin does not', async (t) => {
  const asked: unknown[] = []
  const { create, stall } = await build(t, {}, {}, ({ server }) => {
    server.on('checkContinue', (request, response) => {
      asked.push(request.method)
      response.writeContinue()
      server.emit('request', request, response)
    })
  })
  const { socket, wanted, response } = await stall(await create(3), 0, 3, '', { expect: '100-continue' })
  await wanted
  socket.write('abc')
  t.equal((await response).status, 204)
  t.same(asked, ['PATCH'])
})

t.test('a second registration with another prefix handles Expect too', async (t) => {
  const directory = t.testdir()
  const { default: fastifyTus } = await import('../../plugin/index.ts')
  const { listen } = await build(t, { directory }, {}, async (app) => {
    await app.register(fastifyTus, { prefix: '/videos', directory, maxSize: 10 })
  })
  const refused = await rawRequest(t, await listen(), 'POST', '/videos', {
    'tus-resumable': '1.0.0', 'upload-length': '11', 'content-length': '11', expect: '100-continue'
  })
  t.equal((await refused.response).status, 413)
  t.equal(await Promise.race([refused.wanted, 'not wanted']), 'not wanted')
})
