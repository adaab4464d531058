import { S3Client } from '@aws-sdk/client-s3'
import t from 'tap'
import { S3Store, type S3StoreOptions } from '../../../plugin/stores/s3/index.ts'
import { freePort } from '../../../src/demo/engines/free-port.ts'
import { KEY, SECRET } from '../../../src/demo/engines/recipes.ts'
import { append, bytesOf, skip, startRig } from './rig.ts'

t.test('wrong options are refused', async (t) => {
  const client = new S3Client({ region: 'us-east-1' })
  const wrong: Array<[object, RegExp]> = [
    [{ bucket: '' }, /"bucket"/],
    [{ bucket: 1 }, /"bucket"/],
    [{ prefix: '/a' }, /"prefix"/],
    [{ prefix: 1 }, /"prefix"/],
    [{ segmentSize: 5 * 1024 * 1024 - 1 }, /"segmentSize"/],
    [{ segmentSize: 1e7 + 0.5 }, /"segmentSize"/],
    [{ memory: 0 }, /"memory"/],
    [{ memory: '1' }, /"memory"/],
    [{ retryTime: -1 }, /retryTime/],
    [{ client, clientConfig: {} }, /"client" and "clientConfig"/]
  ]
  for (const [options, message] of wrong) {
    const open = () => new S3Store({ bucket: 'a', ...options } as S3StoreOptions)
    t.throws(open, { code: 'FST_TUS_INVALID_OPTION', message })
  }
  const store = new S3Store({ bucket: 'a', clientConfig: { region: 'us-east-1' }, expirationPeriodInMilliseconds: 5 })
  t.equal(store.getExpiration(), 5)
  t.equal(new S3Store({ bucket: 'a' }).getExpiration(), 0)
})

t.test('a bucket that works passes the check, which leaves nothing', { skip }, async (t) => {
  const rig = await startRig(t)
  await rig.open().prepare()
  await rig.open({ conditionalWrites: false }).prepare()
  t.same(await rig.keys(), [])
})

t.test('the store works with a client of its own', { skip }, async (t) => {
  const { bucketName: bucket, engine } = await startRig(t)
  const store = new S3Store({ bucket, clientConfig: engine.clientConfig() })
  await store.prepare()
  await store.create({ id: 'a', size: 3, offset: 0 })
  await append(store, 'a', Buffer.from('abc'))
  t.equal((await bytesOf(store, 'a')).toString(), 'abc')
})

t.test('a bucket that cannot be used is refused, with the reason', { skip }, async (t) => {
  const { bucketName: bucket, engine, open, proxy } = await startRig(t)
  const config = engine.clientConfig()
  const credentials = { accessKeyId: KEY, secretAccessKey: SECRET }
  const noCredentials = async () => { throw Object.assign(new Error('none'), { name: 'CredentialsProviderError' }) }
  const using = (changes: object) => ({ clientConfig: { ...config, ...changes } })
  const wrong: Array<[Partial<S3StoreOptions>, RegExp]> = [
    [{ bucket: 'missing', clientConfig: config }, /bucket "missing": the bucket does not exist$/],
    [using({ credentials: { ...credentials, secretAccessKey: 'x' } }), /the secret key is wrong$/],
    // The name of this error in versitygw is not that of AWS.
    [using({ credentials: { ...credentials, accessKeyId: 'x' } }), /the access key is unknown$|XAdminUserNotFound/],
    [using({ endpoint: `http://127.0.0.1:${await freePort()}` }), /the server cannot be reached \(ECONNREFUSED\)$/],
    [using({ credentials: noCredentials }), /no credentials found$/]
  ]
  for (const [options, message] of wrong) {
    const store = new S3Store({ bucket, retryTime: 0, ...options })
    await t.rejects(store.prepare(), { code: 'FST_TUS_BUCKET', message })
  }
  const stopFailing = proxy.add({ method: 'PUT', nth: 2, fault: 503 })
  await t.rejects(open().prepare(), { code: 'FST_TUS_BUCKET', message: /: SlowDown: fault$/ })
  stopFailing()
  proxy.add({ fault: 501 })
  await t.rejects(open().prepare(), { code: 'FST_TUS_BUCKET', message: /: InternalError: fault$/ })
})

t.test('a server that ignores conditions is refused', { skip }, async (t) => {
  for (const header of ['if-none-match', 'if-match']) {
    const rig = await startRig(t)
    const client = new S3Client({ ...rig.engine.clientConfig(), maxAttempts: 1 })
    t.teardown(() => client.destroy())
    client.middlewareStack.add((next) => async (args) => {
      delete (args.request as { headers: Record<string, string> }).headers[header]
      return await next(args)
    }, { step: 'build' })
    const options = { client, bucket: rig.bucketName }
    await t.rejects(new S3Store(options).prepare(), { code: 'FST_TUS_BUCKET', message: /ignores If-Match/ }, header)
    await new S3Store({ ...options, conditionalWrites: false }).prepare()
    t.same(await rig.keys(), [], 'nothing is left')
  }
})
