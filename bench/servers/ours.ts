/** This plugin. */
import Fastify from 'fastify'
import fastifyTus from '../../plugin/index.ts'
import type { Durability } from '../../plugin/index.ts'
import { options } from './serve.ts'

const app = Fastify()
await app.register(fastifyTus, {
  prefix: '/files', directory: options.directory, durability: options.durability as Durability
})
await app.listen({ port: options.port, host: '127.0.0.1' })
