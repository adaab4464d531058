/** This plugin; with the option `locks`, several processes may serve the directory. */
import path from 'node:path'
import Fastify from 'fastify'
import fastifyTus, { LocalLocker } from '../../plugin/index.ts'
import type { Durability } from '../../plugin/index.ts'
import { options } from './serve.ts'

const { directory, durability, locks, port } = options
const app = Fastify()
await app.register(fastifyTus, {
  prefix: '/files',
  directory,
  durability: durability as Durability,
  locker: locks === true ? new LocalLocker({ directory: path.join(directory, '.locks') }) : undefined
})
await app.listen({ port, host: '127.0.0.1' })
