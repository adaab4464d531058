/** This plugin on S3, as in `docs/guides/several-machines.md`. */
import Fastify from 'fastify'
import { Redis } from 'ioredis'
import fastifyTus from '../../plugin/index.ts'
import { RedisLocker } from '../../plugin/locks/redis/index.ts'
import { S3Store } from '../../plugin/stores/s3/index.ts'
import { s3ClientConfig } from '../../src/demo/engines/recipes.ts'
import { options } from './serve.ts'

const { bucket, s3, redis, locks } = options
const datastore = new S3Store({ bucket: String(bucket), clientConfig: s3ClientConfig(`http://127.0.0.1:${s3}`) })
const locker = locks === true ? new RedisLocker({ client: new Redis(Number(redis), '127.0.0.1') }) : undefined
const app = Fastify()
await app.register(fastifyTus, { prefix: '/files', datastore, locker })
await app.listen({ port: options.port, host: '127.0.0.1' })
