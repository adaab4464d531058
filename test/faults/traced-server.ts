/** A server to be traced: `directory durability`. It prints its port, and ends with its stdin. */
import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyInstance } from 'fastify'
import fastifyTus, { type Durability } from '../../plugin/index.ts'

const [directory, durability] = process.argv.slice(2) as [string, Durability]
const app = Fastify() as FastifyInstance
await app.register(fastifyTus, { prefix: '/files', directory, durability })
await app.listen({ port: 0 })
process.stdout.write(`${(app.server.address() as AddressInfo).port}\n`)
process.stdin.on('end', () => { app.close() }).resume()
