// A server process over a bucket: `s3.test.ts` starts and kills it. `OPTIONS` has the options of client and store.
import { S3Client } from '@aws-sdk/client-s3'
import Fastify from 'fastify'
import tus from '../../plugin/index.ts'
import { S3Store } from '../../plugin/stores/s3/index.ts'

const { clientConfig, bucket, retryTime } = JSON.parse(String(process.env['OPTIONS']))
const client = new S3Client({ ...clientConfig, maxAttempts: 1 })
const datastore = new S3Store({ bucket, client, retryTime, segmentSize: 5 * 1024 * 1024 })
const app = Fastify()
await app.register(tus, {
  prefix: '/files',
  datastore,
  onUploadFinish: (_request, { id }) => { console.log(`finished ${id}`) }
})
console.log(await app.listen({ port: 0, host: '127.0.0.1' }))
