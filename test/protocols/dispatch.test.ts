import Fastify from 'fastify'
import type { FastifyReply, FastifyRequest } from 'fastify'
import t from 'tap'
import { matchSettings } from '../../plugin/engines.ts'
import { MemoryLocker, MemoryStore } from '../../plugin/index.ts'
import { mountUploads } from '../../plugin/protocols/dispatch.ts'
import type { Operation, Protocol } from '../../plugin/protocols/protocol.ts'
import { resolveSettings } from '../../plugin/settings.ts'
import { StoreAdapter } from '../../plugin/stores/adapter.ts'
import { createContext } from '../../plugin/uploads/context.ts'

const methods = (...names: string[]): Operation[] =>
  names.map((method) => ({ method, schema: { summary: method, tags: [] } }))

/** A protocol whose creation URL has a GET and a HEAD. */
class Listing implements Protocol {
  readonly mediaType = 'application/octet-stream'
  readonly operations = { creation: methods('GET', 'HEAD'), upload: methods('HEAD', 'PUT') }
  claims = () => false
  methodOf = ({ method }: FastifyRequest) => method
  mayBeHead = () => false
  refuse = (_request: FastifyRequest, _reply: FastifyReply, error: unknown) => error as Error
  describe = () => {}
  stamp = () => {}
  async handle ({ method }: FastifyRequest, reply: FastifyReply, id: string): Promise<FastifyReply> {
    return reply.header('handled', `${method} ${id}`).send('')
  }
}

t.test('a protocol handles GET and HEAD of its creation URL; those of an upload are downloads', async (t) => {
  const store = new StoreAdapter(new MemoryStore())
  const engines = { store, locker: new MemoryLocker() }
  const settings = matchSettings(resolveSettings({}), store)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(async (scope) => {
    const { signal } = new AbortController()
    mountUploads(scope, createContext(settings, engines, scope.log, '/files', signal), [new Listing()])
  }, { prefix: '/files' })
  await store.create({ id: 'a', size: 0, offset: 0 })
  await store.update(await store.getUpload('a'), { finished: true })
  const handled = async (method: 'GET' | 'HEAD' | 'PUT', url: string) => {
    const { statusCode, headers } = await app.inject({ method, url })
    t.equal(statusCode, 200, `${method} ${url}`)
    return headers.handled
  }
  t.equal(await handled('GET', '/files'), 'GET ')
  t.equal(await handled('HEAD', '/files'), 'HEAD ')
  t.equal(await handled('PUT', '/files/a'), 'PUT a')
  t.equal(await handled('GET', '/files/a'), undefined)
  t.equal(await handled('HEAD', '/files/a'), undefined)
})
