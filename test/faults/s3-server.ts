// A server process over a bucket: `s3-process.ts` starts it. `OPTIONS` has the options of client, store and plugin.
import { S3Client } from '@aws-sdk/client-s3'
import Fastify from 'fastify'
import { Redis } from 'ioredis'
import tus from '../../plugin/index.ts'
import { RedisLocker } from '../../plugin/locks/redis/index.ts'
import { S3Store } from '../../plugin/stores/s3/index.ts'

const { clientConfig, bucket, retryTime, redis, ttl, memory, plugin } = JSON.parse(String(process.env['OPTIONS']))
const client = new S3Client({ ...clientConfig, maxAttempts: 1 })
const datastore = new S3Store({ bucket, client, retryTime, memory, segmentSize: 5 * 1024 * 1024 })
// What goes wrong is visible in the output of the tests.
const app = Fastify({ logger: { level: 'error', stream: process.stderr } })
await app.register(tus, {
  prefix: '/files',
  datastore,
  ...redis === undefined ? {} : { locker: new RedisLocker({ client: connect(redis), ttl }) },
  onUploadFinish: (_request, { id }) => { console.log(`finished ${id}`) },
  ...plugin
})
console.log(await app.listen({ port: 0, host: '127.0.0.1' }))

function connect (port: number): Redis {
  const connection = new Redis({ host: '127.0.0.1', port, retryStrategy: () => 10 })
  // Requests report what fails.
  connection.on('error', () => {})
  return connection
}
