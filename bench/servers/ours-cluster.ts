/** This plugin in several processes, as in `docs/guides/several-processes.md`. */
import cluster from 'node:cluster'
import path from 'node:path'
import Fastify from 'fastify'
import fastifyTus, { LocalLocker } from '../../plugin/index.ts'
import type { Durability } from '../../plugin/index.ts'
import { options } from './serve.ts'

if (cluster.isPrimary) {
  for (let i = 0; i < Number(options.workers); i++) cluster.fork()
} else {
  const { directory, port } = options
  const app = Fastify()
  await app.register(fastifyTus, {
    prefix: '/files',
    directory,
    locker: new LocalLocker({ directory: path.join(directory, '.locks') }),
    durability: options.durability as Durability
  })
  await app.listen({ port, host: '127.0.0.1' })
}
