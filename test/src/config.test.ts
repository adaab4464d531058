import { availableParallelism } from 'node:os'
import t from 'tap'
import { readConfig } from '../../src/config.ts'
import type { Environment } from '../../src/config.ts'
import { StartError } from '../../src/errors.ts'

const defaults = {
  host: '127.0.0.1',
  allowedHosts: [],
  port: 1080,
  prefix: '/files',
  directory: './files',
  workers: 1,
  maxSize: 0,
  expiration: 86_400_000,
  sweepInterval: 600_000,
  s3: undefined,
  redis: undefined,
  logLevel: 'info',
  trustProxy: false
}

t.test('every variable has a default, and unknown ones are ignored', async t => {
  t.same(readConfig({}), defaults)
  t.same(readConfig({ PATH: '/bin', port: '3' }), defaults)
})

t.test('an empty variable counts as unset', async t => {
  t.same(readConfig({ PORT: '', HOST: ' ', MAX_SIZE: '\t', PREFIX: undefined }), defaults)
})

t.test('the environment of the process is read by default', async t => {
  const { MAX_SIZE } = process.env
  process.env.MAX_SIZE = '12345'
  t.teardown(() => {
    if (MAX_SIZE === undefined) delete process.env.MAX_SIZE
    else process.env.MAX_SIZE = MAX_SIZE
  })
  t.equal(readConfig().maxSize, 12345)
})

t.test('values are converted to the types that the server needs', async t => {
  t.same(readConfig({
    HOST: '::',
    ALLOWED_HOSTS: 'uploads.example,* , fd00::1',
    PORT: '0',
    PREFIX: '/api/v1.2/up_loads/',
    FILES_DIR: '/srv/with space',
    WORKERS: '16',
    MAX_SIZE: '10737418240',
    EXPIRATION_MS: '0',
    SWEEP_INTERVAL_MS: '0',
    S3_BUCKET: 'videos.example',
    S3_PREFIX: 'a/b-',
    REDIS_URL: 'rediss://user:secret@redis.example:6380/1',
    LOCK_TTL_MS: '5000',
    LOG_LEVEL: 'silent',
    TRUST_PROXY: 'true'
  }), {
    host: '::',
    allowedHosts: ['uploads.example', '*', 'fd00::1'],
    port: 0,
    prefix: '/api/v1.2/up_loads',
    directory: '/srv/with space',
    workers: 16,
    maxSize: 10_737_418_240,
    expiration: 0,
    sweepInterval: 0,
    s3: {
      bucket: 'videos.example',
      endpoint: undefined,
      region: undefined,
      prefix: 'a/b-',
      pathStyle: false,
      segmentSize: 8_388_608,
      memory: 268_435_456
    },
    redis: { url: 'rediss://user:secret@redis.example:6380/1', prefix: 'fastify-tus:', ttl: 5000 },
    logLevel: 'silent',
    trustProxy: true
  })
})

t.test('an S3 server that is not that of AWS has a region and the bucket in the path', async (t) => {
  const s3Of = (env: Environment) => readConfig({ S3_BUCKET: 'abc', ...env }).s3
  t.match(s3Of({ S3_ENDPOINT: 'http://127.0.0.1:9000' }), { region: 'us-east-1', pathStyle: true })
  t.match(s3Of({ S3_ENDPOINT: 'https://s3.example/', S3_REGION: 'eu-1', S3_PATH_STYLE: 'false' }),
    { endpoint: 'https://s3.example/', region: 'eu-1', pathStyle: false })
  t.match(s3Of({ S3_PATH_STYLE: 'true' }), { endpoint: undefined, region: undefined, pathStyle: true })
})

t.test('there are as many workers as CPUs on demand', async t => {
  t.equal(readConfig({ WORKERS: 'auto' }).workers, availableParallelism())
  t.equal(readConfig({ WORKERS: '1024' }).workers, 1024)
  for (const WORKERS of ['0', '1025', '-1', 'all', '2.5']) t.throws(() => readConfig({ WORKERS }), { message: /^WORKERS/ })
})

t.test('trusted proxies are all, none, or a list', async t => {
  const cases: [string, unknown][] = [
    ['true', true],
    ['false', false],
    ['127.0.0.1', ['127.0.0.1']],
    ['loopback, uniquelocal', ['loopback', 'uniquelocal']],
    ['10.0.0.0/8,::1, fd00::/8', ['10.0.0.0/8', '::1', 'fd00::/8']]
  ]
  for (const [value, expected] of cases) t.same(readConfig({ TRUST_PROXY: value }).trustProxy, expected, value)
})

t.test('an invalid value is refused in one line that names the variable', async t => {
  const wrong: Environment[] = [
    { HOST: 'two words' },
    { HOST: 'http://localhost' },
    ...['a:80', 'http://a', 'a,,b', 'a b', '[::1]'].map(ALLOWED_HOSTS => ({ ALLOWED_HOSTS })),
    ...['abc', '-1', '65536', '80.5', '0x'].map(PORT => ({ PORT })),
    ...['files', '/', '//', '/a//b', '/:id', '/*', '/../x', '/a b', '/a?b'].map(PREFIX => ({ PREFIX })),
    ...['1GB', '-1', '1.5', '1e99', '1e3', '0x10', '1_000', '+1'].map(MAX_SIZE => ({ MAX_SIZE })),
    ...['1d', '-1'].map(EXPIRATION_MS => ({ EXPIRATION_MS })),
    ...['soon', '2147483648'].map(SWEEP_INTERVAL_MS => ({ SWEEP_INTERVAL_MS })),
    ...['ab', 'Videos', '-ab', 'a_b'].map(S3_BUCKET => ({ S3_BUCKET })),
    ...['127.0.0.1:9000', 's3://a', 'http://a/b'].map(S3_ENDPOINT => ({ S3_ENDPOINT })),
    { S3_REGION: 'a b' },
    { S3_PREFIX: '/a' },
    { S3_PATH_STYLE: 'yes' },
    { S3_SEGMENT_SIZE: '5242879' },
    { S3_MEMORY: '0' },
    ...['127.0.0.1', 'http://127.0.0.1', 'redis://'].map(REDIS_URL => ({ REDIS_URL })),
    { REDIS_PREFIX: 'a b' },
    ...['999', '2147483648'].map(LOCK_TTL_MS => ({ LOCK_TTL_MS })),
    ...['loud', 'INFO'].map(LOG_LEVEL => ({ LOG_LEVEL })),
    ...['yes', '1', '10.0.0.0/0', '10.0.0.0/33', '::1/129', '1.2.3', '10.0.0.0/8,', 'a/b\nc']
      .map(TRUST_PROXY => ({ TRUST_PROXY }))
  ]
  for (const env of wrong) {
    const [[name, value] = []] = Object.entries(env)
    const error = t.throws(() => readConfig(env), StartError) as unknown as StartError
    t.match(error.message, new RegExp(`^${name} .*must be .*, not `), `${name}=${value}`)
    t.ok(error.message.endsWith(JSON.stringify(value)))
    t.notMatch(error.message, '\n')
  }
})

t.test('all invalid values are reported together', async t => {
  t.throws(() => readConfig({ PORT: 'x', LOG_LEVEL: 'y' }), {
    message: 'PORT (--port) must be an integer from 0 to 65535, not "x"; ' +
      'LOG_LEVEL (--log-level) must be one of fatal, error, warn, info, debug, trace, silent, not "y"'
  })
})
