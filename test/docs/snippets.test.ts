/** Every snippet of the Markdown pages compiles, and does what its page says. */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'
import { RedisLocker } from '../../plugin/locks/redis/index.ts'
import { skipWithout } from '../engines/skip.ts'
import { connectTo, startRedis } from '../engines/redis.ts'
import { startS3 } from '../engines/s3.ts'
import { build, OFFSET_OCTET_STREAM, until } from '../helper.ts'
import { rawRequest } from '../raw-request.ts'
import { compile } from './compile.ts'
import { originalOf, pages, root, snippetsOf } from './pages.ts'
import { importSnippet, runSnippet } from './snippets.ts'
import type { Running } from './snippets.ts'
import { visit } from './visit.ts'
import type { Visit } from './visit.ts'

type Headers = Record<string, string>

const bytes = { 'content-type': OFFSET_OCTET_STREAM }

async function ask (
  app: FastifyInstance, method: string, url: string, headers: Headers = {}, payload?: string
): Promise<LightMyRequestResponse> {
  return app.inject({
    method: method as NonNullable<InjectOptions['method']>,
    url,
    headers: { 'tus-resumable': '1.0.0', ...headers },
    ...payload === undefined ? {} : { payload }
  })
}

/** Uploads `hello` in one request. */
function uploadHello (app: FastifyInstance, headers: Headers = {}): Promise<LightMyRequestResponse> {
  return ask(app, 'POST', '/files', { 'upload-length': '5', ...bytes, ...headers }, 'hello')
}

async function takesUploads (t: Test, page: string, name: string): Promise<void> {
  const { app } = await runSnippet(t, page, name)
  const { statusCode, headers: { location } } = await uploadHello(app)
  t.equal(statusCode, 201)
  t.match(location, /^\/files\/[0-9a-f]{32}$/)
  t.equal((await app.inject(location as string)).body, 'hello')
}

/** Runs a snippet with a bucket `videos` and a Redis; `undefined` if one of them is not installed. */
async function withEngines (t: Test, page: string, name: string): Promise<Running | undefined> {
  const missing = skipWithout('versitygw') || skipWithout('redis')
  if (missing !== false) {
    t.comment(missing)
    return undefined
  }
  const [s3, redis] = [await startS3(t), await startRedis(t)]
  await s3.createBucket('videos')
  const config = JSON.stringify(s3.clientConfig())
  const running = await runSnippet(t, page, name, (code) => code
    .replace('new S3Client({})', `new S3Client(${config})`)
    .replace(/bucket: 'videos'(?!, client)/, `bucket: 'videos', clientConfig: ${config}`)
    .replace(':6379', `:${redis.port}`))
  const { statusCode, headers: { location } } = await uploadHello(running.app)
  t.equal(statusCode, 201)
  const response = await running.app.inject(location as string)
  t.ok(response.body === 'hello' || response.statusCode === 302)
  return running
}

async function uploads (t: Test, page: string, name: string): Promise<Visit> {
  const visited = await visit(t, page, name)
  const { stored, upload } = visited
  t.match(upload, { size: 5, metadata: { filename: 'hello.txt', filetype: 'text/plain' } })
  t.equal((await stored(upload.id)).toString(), 'hello')
  return visited
}

const preflightHeaders = (origin: string) => ({ origin, 'access-control-request-method': 'PATCH' })

/** The locker of a snippet displaces, and is displaced by, another process. */
async function locksInRedis (t: Test, page: string, name: string): Promise<void> {
  const redis = await startRedis(t)
  const { exports } = await importSnippet(t, page, name, (code) => code.replace('6379', String(redis.port)))
  const { client, locker } = exports as { client: { quit (): Promise<unknown> }, locker: RedisLocker }
  t.teardown(() => client.quit())
  const first = await build(t, { locker })
  const second = await build(t, {
    directory: first.directory, locker: new RedisLocker({ client: connectTo(t, redis) })
  })
  const location = await first.create(9)
  for (const [holder, other, offset] of [[first, second, 0], [second, first, 3]] as const) {
    const stalled = await holder.stall(location, offset, 9 - offset, 'abc')
    await holder.untilStored(location, offset + 3)
    t.match(await other.head(location), { statusCode: 200, headers: { 'upload-offset': String(offset + 3) } })
    t.match(await stalled.response, { status: 423, body: /FST_TUS_DISPLACED/ })
  }
}

/** Tests of snippets, by page and name. */
const tests: Record<string, (t: Test, page: string, name: string) => Promise<unknown>> = {
  'docs/reference/lockers.md redis-locker.ts': locksInRedis,

  'docs/reference/lockers.md redis-adapter.ts': locksInRedis,

  'README.md server.js': takesUploads,

  'README.md client.js': uploads,

  'docs/getting-started.md server.js': takesUploads,

  async 'docs/getting-started.md client.js' (t, page, name) {
    const { printed, upload } = await uploads(t, page, name)
    await until(() => printed.some((line) => line.startsWith('finished')))
    t.match(printed.at(-1), new RegExp(`^finished: http://127\\.0\\.0\\.1:\\d+/files/${upload.id}$`))
    t.ok(printed.includes('5 of 5 bytes'))
  },

  async 'docs/getting-started.md limited.js' (t, page, name) {
    const { app, logs } = await runSnippet(t, page, name)
    t.equal((await ask(app, 'POST', '/files', { 'upload-length': `${10 * 1024 ** 3 + 1}` })).statusCode, 413)
    const { headers } = await ask(app, 'POST', '/files', { 'upload-length': '5' })
    t.ok(Date.parse(headers['upload-expires'] as string) > Date.now() + 23 * 60 * 60 * 1000)
    await uploadHello(app, { 'upload-metadata': `filename ${btoa('hello.txt')}` })
    t.match(logs.find(({ msg }) => msg === 'upload finished'), { metadata: { filename: 'hello.txt' } })
  },

  async 'docs/guides/limits.md quotas.js' (t, page, name) {
    const { app } = await runSnippet(t, page, name)
    const ann = { authorization: 'Bearer ann-s-secret' }
    const bob = { authorization: 'Bearer bob-s-secret' }
    const create = (headers: Headers, length = 5) =>
      ask(app, 'POST', '/files', { 'upload-length': String(length), ...headers }).then(({ statusCode }) => statusCode)
    t.equal(await create({}), 401)
    t.equal(await create(bob, 1024 ** 3), 413)
    t.equal(await create(ann, 1024 ** 3), 201)
    t.same([await create(bob), await create(bob), await create(bob), await create(bob)], [201, 201, 201, 429])
    t.equal(await create(ann), 201)
    t.equal((await ask(app, 'OPTIONS', '/files', preflightHeaders('http://localhost'))).statusCode, 204)
  },

  async 'docs/guides/behind-a-proxy.md behind-proxy.js' (t, page, name) {
    const { app } = await runSnippet(t, page, name)
    const { statusCode, headers: { location } } = await uploadHello(app, { 'x-forwarded-host': 'example.com' })
    t.equal(statusCode, 201)
    t.match(location, /^\/uploads\/[0-9a-f]{32}$/)
  },

  async 'docs/guides/cors.md cors.js' (t, page, name) {
    const { app } = await runSnippet(t, page, name)
    const { headers } = await ask(app, 'OPTIONS', '/files', preflightHeaders('https://app.example.com'))
    t.match(headers, {
      'access-control-allow-origin': 'https://app.example.com',
      'access-control-allow-credentials': 'true',
      'access-control-allow-headers': /X-CSRF-Token/
    })
    const other = await ask(app, 'OPTIONS', '/files', preflightHeaders('https://example.com'))
    t.notOk('access-control-allow-origin' in other.headers)
  },

  async 'docs/guides/cors.md fastify-cors.js' (t, page, name) {
    const { app } = await runSnippet(t, page, name)
    const { headers } = await ask(app, 'OPTIONS', '/files', preflightHeaders('https://app.example.com'))
    t.match(headers, {
      'access-control-allow-origin': 'https://app.example.com',
      'access-control-allow-methods': /PATCH/,
      'access-control-allow-headers': /Upload-Offset/
    })
    const created = await uploadHello(app, { origin: 'https://app.example.com' })
    t.match(created.headers['access-control-expose-headers'], /Upload-Offset/)
    t.equal((await ask(app, 'OPTIONS', '/files')).statusCode, 400)
  },

  'docs/guides/several-machines.md bucket.ts': withEngines,

  'docs/guides/several-machines.md redis.ts': withEngines,

  async 'docs/guides/several-machines.md redirect.ts' (t, page, name) {
    const running = await withEngines(t, page, name)
    if (running === undefined) return
    const { headers: { location } } = await uploadHello(running.app)
    const response = await running.app.inject(location as string)
    t.equal(response.statusCode, 302)
    t.equal(await (await fetch(response.headers.location as string)).text(), 'hello')
  },

  async 'docs/guides/processing-uploads.md finish-hook.js' (t, page, name) {
    const { app, directory, logs } = await runSnippet(t, page, name)
    const { headers: { location } } = await uploadHello(app, { 'upload-metadata': `filename ${btoa('hello.txt')}` })
    const id = path.basename(location as string)
    t.match(logs.find(({ msg }) => msg === 'upload finished'), {
      uploadId: id,
      path: path.join(directory, id),
      metadata: { filename: 'hello.txt' }
    })
  },

  async 'docs/guides/processing-uploads.md respond.js' (t, page, name) {
    const { app } = await runSnippet(t, page, name)
    const response = await uploadHello(app)
    t.equal(response.statusCode, 200)
    t.same(response.json(), { video: `/videos/${path.basename(response.headers.location as string)}` })
  },

  async 'docs/guides/processing-uploads.md videos.ts' (t, page, name) {
    const { app } = await runSnippet(t, page, name)
    const finished = await uploadHello(app, { 'upload-metadata': `filename ${btoa('hello.mp4')}` })
    const unfinished = await ask(app, 'POST', '/files', { 'upload-length': '5' })
    const id = path.basename(finished.headers.location as string)
    t.same((await app.inject('/videos')).json(), [{ id, size: 5, name: 'hello.mp4' }])
    t.match(await app.inject(`/videos/${id}`), {
      body: 'hello', headers: { 'content-type': 'video/mp4', 'content-length': '5' }
    })
    t.equal((await app.inject(`/videos/${path.basename(unfinished.headers.location as string)}`)).statusCode, 404)
    t.equal((await app.inject('/videos/unknown')).statusCode, 404)
    t.equal((await app.inject(`/files/${id}`)).statusCode, 405, 'download: false')
  },

  async 'docs/guides/playback.md growing.js' (t, page, name) {
    const { app } = await runSnippet(t, page, name)
    const { headers: { location } } = await ask(app, 'POST', '/files', { 'upload-length': '5', ...bytes }, 'he')
    const origin = await app.listen({ port: 0, host: '127.0.0.1' })
    const response = await fetch(`${origin}${location}`)
    t.equal(response.headers.get('content-length'), '5')
    await ask(app, 'PATCH', location as string, { 'upload-offset': '2', ...bytes }, 'llo')
    t.equal(await response.text(), 'hello')
  },

  async 'docs/guides/playback.md progress.js' (t, page, name) {
    const { create, patch, listen } = await build(t)
    const location = await create(5)
    const origin = await listen()
    let isClosed = false
    class EventSource {
      readonly #abort = new AbortController()
      readonly #url: string

      constructor (url: string) {
        this.#url = url
      }

      async addEventListener (type: string, listener: (event: { data: string }) => void): Promise<void> {
        const headers = { accept: 'text/event-stream' }
        const { signal } = this.#abort
        const { body } = await fetch(this.#url, { headers, signal })
        try {
          for await (const text of (body as ReadableStream).pipeThrough(new TextDecoderStream())) {
            for (const [, event, data] of (text as string).matchAll(/^event: (.*)\n(?:id: .*\n)?data: (.*)$/gm)) {
              if (event === type) listener({ data: data as string })
            }
          }
        } catch (error) {
          if (!signal.aborted) throw error
        }
      }

      close (): void {
        isClosed = true
        this.#abort.abort()
      }
    }
    Object.assign(globalThis, { EventSource })
    t.teardown(() => Reflect.deleteProperty(globalThis, 'EventSource'))
    const { printed } = await importSnippet(t, page, name, (code) =>
      code.replace('/files/<id>', `${origin}${location}`))
    await until(() => printed.length > 0)
    t.match(printed[0], /^0 of 5 bytes, .* uploading$/)
    await patch(location, 0, 'hello')
    await until(() => isClosed)
    t.match(printed.at(-1), /^5 of 5 bytes, .* finished$/)
  },

  async 'docs/guides/from-tus-server.md migrated.js' (t, page, name) {
    const { app } = await runSnippet(t, page, name)
    t.match(await uploadHello(app), { statusCode: 400, body: /filename is missing/ })
    const { headers } = await uploadHello(app, { 'upload-metadata': `filename ${btoa('hello.txt')}` })
    t.match(headers.location, /^http:\/\/localhost:80\/files\/[0-9a-f]{32}$/)
  },

  async 'docs/guides/http-clients.md http-clients.js' (t, page, name) {
    const { app } = await runSnippet(t, page, name)
    const headers = { 'upload-draft-interop-version': '6', 'upload-complete': '?1' }
    const { statusCode, body } = await app.inject({ method: 'POST', url: '/files', headers, payload: 'hello' })
    t.equal(statusCode, 201)
    t.match(JSON.parse(body), { id: /^[0-9a-f]{32}$/ })
  },

  async 'docs/guides/tus-js-client.md upload.js' (t, page, name) {
    const refusals: Record<string, number[]> = { PATCH: [500], HEAD: [502] }
    const { elements, requests, upload, printed } = await visit(t, page, name, {
      refuse: (method) => refusals[method]?.pop()
    })
    t.match(upload, { size: 5, metadata: { filename: 'hello.txt', filetype: 'text/plain' } })
    t.same(requests.map(({ method }) => method), ['POST', 'PATCH', 'HEAD', 'HEAD', 'PATCH'], 'the upload is resumed')
    await until(() => printed.length > 0)
    t.match(printed[0], /^finished: http/)
    t.equal(elements.progress?.value, 1)
  },

  async 'docs/guides/tus-js-client.md credentials.js' (t, page, name) {
    const { requests } = await visit(t, page, name)
    t.ok(requests.length > 1)
    t.ok(requests.every(({ headers }) => headers.authorization === 'Bearer ann-s-secret'))
  },

  async 'docs/guides/tus-js-client.md upload-node.js' (t, page, name) {
    let urls = ''
    const { upload, stored, printed } = await visit(t, page, name, {
      adapt (code, directory) {
        urls = path.join(directory, '..', 'uploads.json')
        return code.replace('process.argv[2] ?? \'film.mp4\'', JSON.stringify(path.join(root, 'LICENSE')))
          .replace('\'uploads.json\'', JSON.stringify(urls))
      }
    })
    t.same(upload.metadata, { filename: 'LICENSE' })
    t.ok((await stored(upload.id)).equals(await readFile(path.join(root, 'LICENSE'))))
    await until(() => printed.length > 0)
    t.match(await readFile(urls, 'utf8'), printed[0] as string)
  },

  async 'docs/operations/shutdown.md shutdown.js' (t, page, name) {
    const { app, directory, exports } = await runSnippet(t, page, name, (code) => code.replace(
      'import closeWithGrace from \'close-with-grace\'',
      'export let close\nconst closeWithGrace = (options, onSignal) => { close = onSignal }'
    ))
    const { headers: { location } } = await ask(app, 'POST', '/files', { 'upload-length': '5' })
    const url = location as string
    const origin = await app.listen({ port: 0, host: '127.0.0.1' })
    const headers = { 'tus-resumable': '1.0.0', 'upload-offset': '0', 'content-length': '5', ...bytes }
    const { response } = await rawRequest(t, origin, 'PATCH', url, headers, 'he')
    await until(async () => (await readFile(path.join(directory, path.basename(url)))).length === 2)
    await (exports.close as () => Promise<void>)()
    t.match(await response, { status: 503, headers: { connection: 'close' } })
  },

  async 'docs/reference/errors.md error-handler.js' (t, page, name) {
    const { app, logs } = await runSnippet(t, page, name)
    t.match(await ask(app, 'POST', '/files', { 'upload-length': `${10 * 1024 ** 3 + 1}` }), { statusCode: 413 })
    t.match(logs.find(({ msg }) => msg === 'upload too large'), { err: { code: 'FST_TUS_TOO_LARGE' } })
  },

  async 'docs/reference/hooks.md hooks.js' (t, page, name) {
    const { app, logs } = await runSnippet(t, page, name)
    t.match(await uploadHello(app), { statusCode: 400, body: /filename is missing/ })
    const { headers: { location } } = await uploadHello(app, { 'upload-metadata': `filename ${btoa('hello.txt')}` })
    const head = await ask(app, 'HEAD', location as string)
    t.equal(head.headers['upload-metadata'], `filename ${btoa('hello.txt')},address ${btoa('127.0.0.1')}`)
    t.equal((await ask(app, 'DELETE', location as string)).statusCode, 204)
    t.match(logs.find(({ msg }) => msg === 'file deleted'), { metadata: { filename: 'hello.txt' } })
  },

  async 'docs/reference/hooks.md under-pressure.js' (t, page, name) {
    const { app, logs } = await runSnippet(t, page, name, (code) =>
      code.replace('maxEventLoopDelay: 1000', 'maxHeapUsedBytes: 1'))
    await until(async () => (await ask(app, 'OPTIONS', '/files')).statusCode === 503)
    t.match(await ask(app, 'HEAD', '/files/id'), { statusCode: 423, headers: { 'retry-after': '1' } })
    t.same(logs.filter(({ level }) => level >= 40), [], 'the response is sent once')
  },

  async 'docs/reference/events.md events.ts' (t, page, name) {
    const { printed } = await importSnippet(t, page, name)
    const { post } = await build(t)
    const { headers } = await post({ 'upload-length': '5', ...bytes }, 'hello')
    t.ok(printed.includes(`${path.basename(headers.location as string)}: 5 bytes, 127.0.0.1`))
  }
}

/** Snippets that another file runs. */
const elsewhere: Record<string, string> = {
  'docs/guides/authentication.md auth.js': 'test/hostile/users.test.ts',
  'docs/guides/authentication.md user-prefix.ts': 'test/hostile/prefix-parameter.test.ts',
  'docs/guides/limits.md limits.js': 'test/hostile/floods.test.ts',
  'docs/guides/several-processes.md cluster.js': 'test/docs/cluster.test.ts',
  'docs/guides/uppy.md uppy.js': 'test/clients/uppy.ts'
}

/** Snippets that only compile, with the reason. */
const notRun: Record<string, string> = {
  'docs/reference/stores.md s3.js': 'needs a service with the API of S3',
  'docs/reference/stores.md my-store.test.ts': 'test/contracts/stores.test.ts calls the contract',
  'docs/reference/lockers.md my-locker.test.ts': 'test/contracts/lockers.test.ts calls the contract',
  'example-client/README.md your-page.ts': 'needs a browser: test/browser/ runs Transfer'
}

/** What the text around a snippet takes for granted, as TypeScript. */
const contexts: Record<string, string> = {
  // The types of tus-js-client 4.3.1 are those of a browser.
  'docs/guides/tus-js-client.md upload-node.js': `
    declare module 'tus-js-client' {
      export interface FileUrlStorage extends UrlStorage {}
      export class FileUrlStorage { constructor (path: string) }
    }`,
  'docs/reference/stores.md my-store.test.ts': `
    import type { MemoryStore } from 'fastify-tus'
    declare const storeContract: typeof import('../../../test/contracts/store.ts').storeContract
    declare const MyStore: new (database: Map<unknown, unknown>) => MemoryStore`,
  'docs/reference/lockers.md my-locker.test.ts': `
    import type { MemoryLocker } from 'fastify-tus'
    declare const lockerContract: typeof import('../../../test/contracts/locker.ts').lockerContract
    declare const MyLocker: new () => MemoryLocker`
}

/** The folders in which snippets compile that import their neighbours. Default: that of the page. */
const folders: Record<string, string> = { 'example-client/README.md': 'example-client/src' }

const snippets = (await Promise.all((await pages()).map(snippetsOf))).flat()
  .filter(({ language }) => ['js', 'javascript', 'ts', 'typescript', 'mjs'].includes(language))
const keyOf = ({ page, name = '' }: { page: string, name?: string | undefined }) => `${page} ${name}`
const originals = snippets.filter(({ page }) => page === originalOf(page))

t.test('every snippet has a name that is unique on its page, in its first comment', async (t) => {
  for (const snippet of snippets) {
    t.match(snippet.name, /\.(js|ts)$/, `${snippet.page}: ${snippet.code.split('\n', 1)[0]}`)
    t.equal(snippets.filter((other) => keyOf(other) === keyOf(snippet)).length, 1, keyOf(snippet))
  }
})

t.test('every snippet is strict TypeScript', async (t) => {
  const sources = snippets.map((snippet) => {
    const { page, name = '', code } = snippet
    const folder = folders[page] ?? path.posix.dirname(page)
    const file = name.replace(/\.(js|ts)$/, '.ts')
    // A folder for each page, so that pages may use the same names.
    return [path.posix.join(folder, folders[page] === undefined ? path.posix.basename(page, '.md') : '', file),
      `${contexts[keyOf(snippet)] ?? ''}\n${code}`] as const
  })
  t.same(compile(new Map(sources)), [])
})

t.test('every snippet is run, or it is known why not', async (t) => {
  const known = [...Object.keys(tests), ...Object.keys(elsewhere), ...Object.keys(notRun)].sort()
  t.same(known, originals.map(keyOf).sort())
  for (const [key, file] of Object.entries(elsewhere)) {
    const [page, name] = key.split(' ')
    const text = await readFile(path.join(root, file), 'utf8')
    t.ok(text.includes(`'${page}', '${name}'`), `${file} runs ${key}`)
  }
})

for (const [key, run] of Object.entries(tests)) {
  const [page = '', name = ''] = key.split(' ')
  t.test(key, { skip: name.startsWith('redis') && skipWithout('redis') }, (t) => run(t, page, name))
}
