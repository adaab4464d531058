/** `@tus/server` in Fastify, mounted as in its README. */
import Fastify from 'fastify'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { fail } from './questions.ts'
import { options } from './serve.ts'
import { tus } from './tus.ts'

const app = Fastify()
app.addContentTypeParser('application/offset+octet-stream', (_request, _payload, done) => done(null))
app.all('/files', handle)
app.all('/files/*', handle)
await app.listen({ port: options.port, host: '127.0.0.1' })

function handle (request: FastifyRequest, reply: FastifyReply): void {
  tus.handle(request.raw, reply.raw).catch(fail)
}
