/** `@fastify/static` on a directory of files. */
import fastifyStatic from '@fastify/static'
import Fastify from 'fastify'
import { options } from './serve.ts'

const app = Fastify()
await app.register(fastifyStatic, { prefix: '/files', root: options.directory })
await app.listen({ port: options.port, host: '127.0.0.1' })
