import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { Redis } from 'ioredis'
import t from 'tap'
import type { Test } from 'tap'
import { until } from '../helper.ts'
import { type EngineName, programOf } from '../../src/demo/engines/programs.ts'
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts'
import { startRedis } from './redis.ts'
import { startS3, type S3Engine, type S3EngineName } from './s3.ts'
import { skipWithout } from './skip.ts'

t.test('programs are found by a variable and on the PATH, and required ones must exist', async (t) => {
  const PATH = t.testdir({ weed: '', minio: t.fixture('symlink', process.execPath) })
  t.equal(programOf('minio', { PATH }), `${PATH}/minio`)
  t.equal(skipWithout('minio', { PATH }), false)
  t.equal(programOf('seaweedfs', { PATH }), undefined, 'a file that is not executable is no program')
  t.equal(programOf('minio', { PATH, MINIO_PATH: process.execPath }), process.execPath)
  t.equal(programOf('minio', { PATH, MINIO_PATH: '/does/not/exist' }), undefined)
  t.match(skipWithout('seaweedfs', {}), /^weed is not installed: run "npm run engines", or set WEED_PATH$/)
  const required = { FASTIFY_TUS_ENGINES: 'required' }
  t.throws(() => skipWithout('seaweedfs', required), { message: /^weed is not installed/ })
})

t.test('Redis starts, keeps its port, and can be paused', { skip: skipWithout('redis') }, async (t) => {
  const redis = await startRedis(t)
  const client = new Redis(redis.port, { lazyConnect: true, retryStrategy: () => 5 })
  client.on('error', () => {})
  t.teardown(() => client.disconnect())
  t.equal(await client.set('a', '1'), 'OK')
  redis.pause()
  let isAnswered = false
  const answer = client.get('a').then((value) => { isAnswered = true; return value })
  await new Promise((resolve) => setTimeout(resolve, 50))
  t.notOk(isAnswered)
  redis.resume()
  t.equal(await answer, '1')
  const { pid } = redis
  await redis.restart()
  t.not(redis.pid, pid)
  t.equal(await client.get('a'), null, 'nothing is kept')
  await redis.stop()
  t.throws(() => redis.pid, { message: 'The engine is not running' })
  await redis.stop()
})

const engines: Array<S3EngineName & EngineName> = ['versitygw', 'seaweedfs', 'minio']
for (const name of engines) {
  // Only one of them is needed to develop the plugin.
  const skip = name === 'versitygw' ? skipWithout(name) : programOf(name) === undefined && `${name} is not installed`

  t.test(`${name} answers through the proxy as it does alone`, { skip }, async (t) => {
    const { engine, client, put } = await rig(t, name)
    await put('a', 'first')
    const { Body: body } = await client.send(new GetObjectCommand({ Bucket: 'uploads', Key: 'a' }))
    t.equal(await body?.transformToString(), 'first')
    await t.rejects(put('a', 'second', '*'), { name: 'PreconditionFailed' })
    await put('b', 'x'.repeat(300_000))
    await engine.restart('SIGKILL')
    const { Contents: contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: 'uploads' }))
    t.same(contents.map(({ Key: key }) => key), ['a', 'b'])
  })
}

t.test('the proxy injects faults and logs requests', { skip: skipWithout('versitygw') }, async (t) => {
  const { proxy, put, exists } = await rig(t, 'versitygw')

  await t.test('a status, for the n-th request of a method and a path', async (t) => {
    proxy.add({ method: 'PUT', url: /\/slow-/, nth: 2, fault: 503 })
    await put('slow-1')
    await t.rejects(put('slow-2'), { name: 'SlowDown' })
    t.notOk(await exists('slow-2'))
    await put('slow-2')
    t.equal(proxy.count({ method: 'PUT', url: /\/slow-2\b/ }), 2)
    const refused = proxy.log.find(({ fault }) => fault === 503)
    t.match(refused, { path: '/uploads/slow-2', status: 503, forwarded: undefined })
  })

  await t.test('a reset before the request, or instead of the response', async (t) => {
    const remove = proxy.add({ method: 'PUT', url: /before/, fault: 'reset-before' })
    await t.rejects(put('before'), { code: 'ECONNRESET' })
    t.notOk(await exists('before'))
    remove()
    proxy.add({ method: 'PUT', url: /after/, fault: 'reset-after' })
    await t.rejects(put('after'), { code: 'ECONNRESET' })
    t.ok(await exists('after'), 'the request has had its effect')
    t.match(proxy.log.find(({ fault }) => fault === 'reset-after'), { status: undefined, forwarded: 200 })
  })

  await t.test('a stall until it is released', async (t) => {
    proxy.clear()
    for (const [fault, isStored] of [['stall-before', false], ['stall-after', true]] as const) {
      proxy.add({ method: 'PUT', url: new RegExp(fault), fault })
      let isDone = false
      const putting = put(fault).then(() => { isDone = true })
      await until(() => proxy.log.some((entry) => entry.fault === fault && (!isStored || entry.forwarded === 200)))
      t.equal(await exists(fault), isStored)
      t.notOk(isDone)
      proxy.release()
      await putting
      t.ok(await exists(fault))
    }
  })

  await t.test('a delay, and a part of the requests', async (t) => {
    proxy.clear()
    proxy.add({ method: 'PUT', nth: (n) => n === 1, fault: { delay: 1 } })
    proxy.add({ method: 'PUT', fraction: 0.5, fault: 500 })
    // The random numbers of the rig are 0 and 0.9 in turn.
    await put('fraction-1')
    await t.rejects(put('fraction-2'), { name: 'InternalError' })
    await put('fraction-3')
  })
})

interface Rig {
  engine: S3Engine
  proxy: FaultProxy
  client: S3Client
  put: (key: string, body?: string, ifNoneMatch?: string) => Promise<void>
  exists: (key: string) => Promise<boolean>
}

async function rig (t: Test, name: S3EngineName): Promise<Rig> {
  const engine = await startS3(t, name)
  const bucket = await engine.createBucket()
  let number = 0
  const proxy = await startFaultProxy(t, engine, { random: () => number++ % 2 === 0 ? 0 : 0.9 })
  const client = new S3Client({ ...engine.clientConfig(proxy.endpoint), maxAttempts: 1 })
  t.teardown(() => client.destroy())
  return {
    engine,
    proxy,
    client,
    async put (key, body = 'bytes', ifNoneMatch) {
      const conditions = ifNoneMatch === undefined ? {} : { IfNoneMatch: ifNoneMatch }
      await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: Buffer.from(body), ...conditions }))
    },
    async exists (key) {
      const { KeyCount: found } = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: key }))
      return found === 1
    }
  }
}
