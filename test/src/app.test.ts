import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { Writable } from 'node:stream'
import t, { type Test } from 'tap'
import Fastify from 'fastify'
import app, { lifecycleLog } from '../../src/app.ts'
import type { AppOptions } from '../../src/app.ts'

const tus = { 'tus-resumable': '1.0.0' }

interface BuildOptions {
  config?: object
  client?: string
  prefix?: string
}

async function build (t: Test, { config, ...opts }: BuildOptions = {}) {
  const directory = opts.client ?? t.testdir()
  const lines: Record<string, unknown>[] = []
  const stream = new Writable({
    write (line, _encoding, done) {
      lines.push(JSON.parse(line) as Record<string, unknown>)
      done()
    }
  })
  const fastify = Fastify({ logger: { stream } })
  const settings = { prefix: '/files', directory, maxSize: 0, expiration: 0, sweepInterval: 0, ...config }
  await fastify.register(app, { config: settings, client: directory, ...opts } as AppOptions)
  t.teardown(() => fastify.close())
  return { fastify, lines, directory }
}

t.test('the health check succeeds', async t => {
  const { fastify } = await build(t)
  const response = await fastify.inject('/healthz')
  t.equal(response.statusCode, 200)
  t.same(response.json(), { status: 'ok' })
})

t.test('uploads below the prefix are stored, logged, served and deleted', async t => {
  const { fastify, lines, directory } = await build(t, { config: { prefix: '/up' } })
  const created = await fastify.inject({ method: 'POST', url: '/up', headers: { ...tus, 'upload-length': '5' } })
  t.equal(created.statusCode, 201)
  const url = created.headers.location as string
  const id = url.slice('/up/'.length)

  const patched = await fastify.inject({
    method: 'PATCH',
    url,
    headers: { ...tus, 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' },
    body: 'hello'
  })
  t.equal(patched.statusCode, 204)
  t.ok(existsSync(`${directory}/${id}`))
  t.equal((await fastify.inject(url)).body, 'hello')
  t.equal((await fastify.inject({ method: 'DELETE', url, headers: tus })).statusCode, 204)

  const logged = lines.filter(line => 'upload' in line).map(({ level, msg, upload }) => ({ level, msg, upload }))
  const upload = { id, size: 5 }
  t.same(logged, [
    { level: 30, msg: 'creating upload', upload },
    { level: 30, msg: 'upload finished', upload },
    { level: 30, msg: 'upload terminated', upload }
  ])
})

t.test('growing uploads are served', async t => {
  const { fastify } = await build(t)
  const headers = { ...tus, 'upload-length': '10', 'content-type': 'application/offset+octet-stream' }
  const created = await fastify.inject({ method: 'POST', url: '/files', headers, body: 'hello' })
  const url = created.headers.location as string
  const { statusCode, body } = await fastify.inject({ url, headers: { range: 'bytes=1-3' } })
  t.equal(statusCode, 206)
  t.equal(body, 'ell')
})

t.test('a finish hook that a sweep runs without a request is logged too', async t => {
  const { fastify, lines } = await build(t)
  await lifecycleLog(fastify).onUploadFinish?.(null, { id: 'a', size: 5, offset: 5 })
  t.match(lines.at(-1), { msg: 'upload finished', upload: { id: 'a', size: 5 } })
})

t.test('clients can read the maximum size and the expiration', async t => {
  const { fastify } = await build(t, { config: { maxSize: 100, expiration: 60_000 } })
  const options = await fastify.inject({ method: 'OPTIONS', url: '/files' })
  t.equal(options.headers['tus-max-size'], '100')
  const created = await fastify.inject({ method: 'POST', url: '/files', headers: { ...tus, 'upload-length': '5' } })
  t.ok(created.headers['upload-expires'])
})

t.test('without a limit there is none', async t => {
  const { fastify } = await build(t)
  const options = await fastify.inject({ method: 'OPTIONS', url: '/files' })
  t.notOk('tus-max-size' in options.headers)
  const created = await fastify.inject({ method: 'POST', url: '/files', headers: { ...tus, 'upload-length': '5' } })
  t.notOk('upload-expires' in created.headers)
})

t.test('the page gets the upload endpoint, also if the app is mounted below a path', async t => {
  const { fastify } = await build(t, { config: { prefix: '/up' } })
  t.same((await fastify.inject('/config.json')).json(), { endpoint: '/up' })

  const below = await build(t, { prefix: '/below' })
  const { endpoint } = (await below.fastify.inject('/below/config.json')).json<{ endpoint: string }>()
  t.equal(endpoint, '/below/files')
  const headers = { ...tus, 'upload-length': '1' }
  const created = await below.fastify.inject({ method: 'POST', url: endpoint, headers })
  t.equal(created.statusCode, 201)
})

t.test('the example client is served', async t => {
  const client = t.testdir({ 'index.html': '<p>page</p>', assets: { 'index.js': 'export {}' } })
  const { fastify } = await build(t, { client })
  const page = await fastify.inject('/')
  t.equal(page.statusCode, 200)
  t.match(page.headers['content-type'], 'text/html')
  t.equal((await fastify.inject('/assets/index.js')).body, 'export {}')
  t.equal((await fastify.inject('/nothing')).statusCode, 404)
})

t.test('the page cannot be framed, load from other origins, or leak its address as a referrer', async t => {
  const client = t.testdir({ 'index.html': '<p>page</p>', 'index.js': 'export {}' })
  const { fastify } = await build(t, { client })
  for (const url of ['/', '/index.js', '/api/uploads', '/config.json', '/healthz']) {
    const { headers } = await fastify.inject(url)
    t.match(headers['content-security-policy'], /^default-src 'self'; .*frame-ancestors 'none'$/, url)
    t.match(headers, { 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' }, url)
  }
})

t.test('uploads have the headers of the plugin', async t => {
  const { fastify } = await build(t)
  const { headers } = await fastify.inject({ method: 'OPTIONS', url: '/files' })
  t.equal(headers['content-security-policy'], undefined)
})

t.test('without a built client, the page says how to build it', async t => {
  const { fastify } = await build(t)
  const page = await fastify.inject('/')
  t.equal(page.statusCode, 404)
  t.match(page.body, 'npm run build')
})

t.test('the app starts on its own, configured by the environment', async t => {
  const { FILES_DIR } = process.env
  process.env.FILES_DIR = t.testdir()
  t.teardown(() => {
    if (FILES_DIR === undefined) delete process.env.FILES_DIR
    else process.env.FILES_DIR = FILES_DIR
  })
  const fastify = Fastify()
  t.teardown(() => fastify.close())
  await fastify.register(app, {})
  t.same((await fastify.inject('/config.json')).json(), { endpoint: '/files' })
  t.ok([200, 404].includes((await fastify.inject('/')).statusCode))
})

t.test('with several workers, the locks are in the directory of the uploads', async (t) => {
  const { fastify, directory } = await build(t, { config: { workers: 2 } })
  const response = await fastify.inject({
    method: 'POST', url: '/files', headers: { 'tus-resumable': '1.0.0', 'upload-length': '1' }
  })
  t.equal(response.statusCode, 201)
  t.ok((await readdir(`${directory}/.locks`)).length > 0)
  t.equal((await fastify.inject('/api/uploads')).json().uploads.length, 1)
})
