/** One server of the benchmark, in a process of its own: `server.ts NAME DIRECTORY`. Tells its port to its parent. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { FileStore } from '@tus/file-store'
import { Server } from '@tus/server'
import Fastify from 'fastify'
import fastifyTus from '../plugin/index.ts'

const [name, directory = ''] = process.argv.slice(2)

async function listen (): Promise<number> {
  if (name === '@tus/server') {
    const tus = new Server({ path: '/files', datastore: new FileStore({ directory }) })
    const server = createServer((request, response) => { tus.handle(request, response).catch(console.error) })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return (server.address() as AddressInfo).port
  }
  const app = Fastify()
  if (name === '@tus/server in Fastify') {
    const tus = new Server({ path: '/files', datastore: new FileStore({ directory }) })
    app.addContentTypeParser('application/offset+octet-stream', (_request, _payload, done) => done(null))
    const handler = async (request: { raw: never }, reply: { raw: never, hijack: () => void }) => {
      reply.hijack()
      await tus.handle(request.raw, reply.raw)
    }
    app.all('/files', handler as never)
    app.all('/files/*', handler as never)
  } else {
    await app.register(fastifyTus, {
      prefix: '/files', directory, durability: name === 'ours' ? 'finished' : 'none'
    })
  }
  await app.listen({ port: 0, host: '127.0.0.1' })
  return (app.server.address() as AddressInfo).port
}

process.send?.(await listen())
