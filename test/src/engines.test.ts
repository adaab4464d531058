import { renameSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import type { S3ClientConfig } from '@aws-sdk/client-s3'
import t, { type Test } from 'tap'
import Fastify from 'fastify'
import app from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import type { Environment } from '../../src/config.ts'
import { createEngines, load } from '../../src/engines.ts'
import { StartError } from '../../src/errors.ts'
import type { Page } from '../../src/listed.ts'
import { serveReadiness } from '../../src/readiness.ts'
import { start } from '../../src/server.ts'
import { skipWithout } from '../engines/skip.ts'
import { startRedis } from '../engines/redis.ts'
import { startS3 } from '../engines/s3.ts'
import type { S3Engine } from '../engines/s3.ts'
import { freePort } from '../../src/demo/engines/free-port.ts'
import { temporaryDirectory } from '../helper.ts'

const tus = { 'tus-resumable': '1.0.0' }
const s3 = { skip: skipWithout('versitygw') }
const redis = { skip: skipWithout('redis') }

async function serve (t: Test, env: Environment) {
  const lines: Record<string, unknown>[] = []
  const stream = { write: (line: string) => { lines.push(JSON.parse(line) as Record<string, unknown>) } }
  const fastify = Fastify({ logger: { stream } })
  t.teardown(() => fastify.close())
  const directory = await temporaryDirectory(t)
  await fastify.register(app, { config: readConfig({ FILES_DIR: directory, ...env }), client: directory })
  await fastify.ready()
  return { fastify, directory, lines, ready: async () => await fastify.inject('/readyz') }
}

type AwsCredentialIdentity = Extract<S3ClientConfig['credentials'], { secretAccessKey: string }>

/** The environment of a server with a new bucket. The SDK reads the credentials from that of the process. */
async function withBucket (t: Test): Promise<{ engine: S3Engine, env: Environment }> {
  const engine = await startS3(t)
  const { accessKeyId, secretAccessKey } = engine.clientConfig().credentials as AwsCredentialIdentity
  setVariables(t, { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey })
  return { engine, env: { S3_BUCKET: await engine.createBucket(), S3_ENDPOINT: engine.endpoint } }
}

function setVariables (t: Test, variables: Environment): void {
  const before = { ...process.env }
  Object.assign(process.env, variables)
  t.teardown(() => {
    for (const name of Object.keys(variables)) delete process.env[name]
    Object.assign(process.env, before)
  })
}

const failure = (env: Environment) => start(readConfig({ PORT: '0', LOG_LEVEL: 'silent', ...env }))

t.test('a server with a directory is ready as long as it can write to it', async (t) => {
  const { directory, lines, ready } = await serve(t, {})
  t.match(lines[0], { msg: `uploads in directory ${directory}, locks in this process` })
  t.same((await ready()).json(), { status: 'ready' })
  renameSync(directory, `${directory}-moved`)
  t.teardown(() => renameSync(`${directory}-moved`, directory))
  const response = await ready()
  t.equal(response.statusCode, 503)
  t.same(response.json(), { status: 'unavailable' })
  t.match(lines.find(({ msg }) => msg === 'not ready'), { level: 40, err: { code: 'ENOENT' } })
  await t.rejects(createEngines(readConfig({ FILES_DIR: '/dev/null/files' })), { code: 'FST_TUS_DIRECTORY' })
})

t.test('a server that closes is not ready', async (t) => {
  // As the server sets it.
  const fastify = Fastify({ return503OnClosing: false })
  serveReadiness(fastify, async () => {})
  let response: Response | undefined
  fastify.addHook('preClose', async () => { response = await fetch(`${address}/readyz`) })
  const address = await fastify.listen({ port: 0, host: '127.0.0.1' })
  await fastify.close()
  t.equal(response?.status, 503)
  t.same(await response?.json(), { status: 'closing' })
})

t.test('uploads are stored in the bucket, and listed newest first', s3, async (t) => {
  const { engine, env } = await withBucket(t)
  const { fastify, lines, ready } = await serve(t, { ...env, S3_PREFIX: 'videos/' })
  t.match(lines[0], { msg: `uploads in bucket uploads at ${engine.endpoint}, locks in this process` })
  const body = { 'upload-length': '5', 'content-type': 'application/offset+octet-stream' }
  const put = async (name: string, headers = {}) => {
    const metadata = `filename ${Buffer.from(name).toString('base64')}`
    const response = await fastify.inject({
      method: 'POST',
      url: '/files',
      headers: { ...tus, ...body, 'upload-metadata': metadata, ...headers },
      body: 'hello'
    })
    t.equal(response.statusCode, 201)
    return response.headers.location as string
  }
  const locations = []
  for (const name of ['a', 'b', 'c', 'd', 'e']) locations.push(await put(name))
  await put('part', { 'upload-concat': 'partial' })
  t.equal((await fastify.inject(locations[0] as string)).body, 'hello')

  const list = async (query: string) => (await fastify.inject(`/api/uploads?${query}`)).json() as Page
  const names = ({ uploads }: Page) => uploads.map(({ name }) => name).join('')
  const first = await list('limit=2')
  t.equal(names(first), 'ed')
  t.match(first.uploads[0], { length: 5, offset: 5, state: 'finished' })
  const second = await list(`limit=2&before=${first.next}`)
  t.equal(names(second), 'cb')
  const last = await list(`limit=2&before=${second.next}`)
  t.equal(names(last), 'a')
  t.equal(last.next, null)
  t.equal(names(await list('limit=5')), 'edcba')

  t.equal((await ready()).statusCode, 200)
  await engine.stop()
  t.equal((await ready()).statusCode, 503)
})

t.test('without an endpoint, the bucket is one of AWS', async (t) => {
  const { store } = await createEngines(readConfig({ FILES_DIR: t.testdir(), S3_BUCKET: 'videos' }))
  t.equal(store.name, 'bucket videos')
})

t.test('a bucket that cannot be used is reported in one line', s3, async (t) => {
  const { env } = await withBucket(t)
  const cases: Array<[Environment, RegExp]> = [
    [{ S3_BUCKET: 'missing' }, /bucket "missing": the bucket does not exist$/],
    [{ S3_ENDPOINT: `http://127.0.0.1:${await freePort()}` }, /the server cannot be reached \(ECONNREFUSED\)$/]
  ]
  for (const [wrong, message] of cases) {
    await t.rejects(failure({ ...env, ...wrong }), { name: StartError.name, message })
  }
  setVariables(t, { AWS_SECRET_ACCESS_KEY: 'wrong' })
  await t.rejects(failure(env), {
    name: StartError.name,
    message: 'S3_BUCKET (--s3-bucket) cannot be used: bucket "uploads": the secret key is wrong'
  })
})

t.test('locks are held in Redis', redis, async (t) => {
  const engine = await startRedis(t)
  const { fastify, lines, ready } = await serve(t, { REDIS_URL: `redis://127.0.0.1:${engine.port}` })
  t.match(lines[0], { msg: new RegExp(`, locks in Redis at 127\\.0\\.0\\.1:${engine.port}$`) })
  const headers = { ...tus, 'upload-length': '5' }
  const { headers: { location } } = await fastify.inject({ method: 'POST', url: '/files', headers })
  t.equal((await fastify.inject({ method: 'HEAD', url: location as string, headers: tus })).statusCode, 200)
  t.equal((await ready()).statusCode, 200)
  await engine.stop()
  while ((await ready()).statusCode !== 503) await setImmediate()
  t.match(lines.findLast(({ msg }) => msg === 'not ready'), { err: { message: /Redis cannot be reached/ } })
})

t.test('a Redis that cannot be reached is reported in one line', async (t) => {
  const port = await freePort()
  await t.rejects(failure({ FILES_DIR: t.testdir(), REDIS_URL: `redis://127.0.0.1:${port}` }), {
    name: StartError.name,
    message: `REDIS_URL (--redis-url) cannot be reached: connect ECONNREFUSED 127.0.0.1:${port}`
  })
})

t.test('a package that is not installed is reported in one line, and other errors are unchanged', async (t) => {
  const missing = Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' })
  await t.rejects(load(Promise.reject(missing), 'REDIS_URL (--redis-url)', 'ioredis'), {
    name: StartError.name,
    message: 'REDIS_URL (--redis-url) needs a package: npm install ioredis'
  })
  const bug = new TypeError('a bug')
  await t.rejects(load(Promise.reject(bug), 'REDIS_URL (--redis-url)', 'ioredis'), bug)
})
