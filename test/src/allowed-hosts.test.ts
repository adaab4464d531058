import type { AddressInfo } from 'node:net'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { checkHost } from '../../src/allowed-hosts.ts'
import { rawRequest } from '../raw-request.ts'

const local = ['localhost', 'LOCALHOST:80', '127.0.0.1:1080', '127.8.9.10', '[::1]', '[::1]:1080']
const foreign = [
  'rebound.example', 'rebound.example:1080', '127.0.0.1.rebound.example', '127.rebound.example',
  'localhost.rebound.example', '10.0.0.1', '[::2]', '::1]', '[localhost', 'localhost@rebound.example', ''
]

/** A server that listens on `host`, and what it answers to a `Host` header. */
async function listen (t: Test, host: string, allowedHosts: string[] = []) {
  const server = Fastify()
  t.teardown(() => server.close())
  checkHost(server, { host, allowedHosts })
  server.get('/', async () => 'here')
  await server.listen({ host, port: 0 })
  const { port } = server.server.address() as AddressInfo
  return async (name: string, headers: Record<string, string> = {}) => {
    const { response } = await rawRequest(t, `http://127.0.0.1:${port}`, 'GET', '/', { host: name, ...headers })
    return await response
  }
}

t.test('a server on a loopback address answers to the names of this machine only', async (t) => {
  const ask = await listen(t, '127.0.0.1')
  for (const name of local) t.equal((await ask(name)).status, 200, name)
  for (const name of foreign) t.equal((await ask(name)).status, 421, name)
  t.match((await ask('rebound.example')).body, 'ALLOWED_HOSTS (--allowed-hosts)')
})

t.test('a header that a page may set does not stand for Host', async (t) => {
  const ask = await listen(t, '127.0.0.1')
  t.equal((await ask('rebound.example', { 'x-forwarded-host': 'localhost' })).status, 421)
})

t.test('what is not found is not answered to another name either', async (t) => {
  const server = Fastify()
  t.teardown(() => server.close())
  checkHost(server, { host: '127.0.0.1', allowedHosts: [] })
  const address = await server.listen({ host: '127.0.0.1', port: 0 })
  const { response } = await rawRequest(t, address, 'GET', '/nothing', { host: 'rebound.example' })
  t.equal((await response).status, 421)
})

t.test('names can be allowed, and the name that the server listens on is', async (t) => {
  const ask = await listen(t, 'localhost', ['Uploads.example', 'fd00::1'])
  for (const name of [...local, 'uploads.example', 'uploads.EXAMPLE:80', '[fd00::1]:80']) {
    t.equal((await ask(name)).status, 200, name)
  }
  for (const name of foreign) t.equal((await ask(name)).status, 421, name)
})

t.test('a server that other machines can reach answers to every name, unless names are given', async (t) => {
  const any = await listen(t, '0.0.0.0')
  t.equal((await any('rebound.example')).status, 200)
  const some = await listen(t, '0.0.0.0', ['uploads.example'])
  t.same(await Promise.all(['uploads.example', 'localhost', 'rebound.example'].map(async (name) =>
    (await some(name)).status)), [200, 200, 421])
})

t.test('with * every name will do', async (t) => {
  const ask = await listen(t, '127.0.0.1', ['*'])
  t.equal((await ask('rebound.example')).status, 200)
})
