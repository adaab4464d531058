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

/** A server that listens on `host`, and its response for a `Host` header. */
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

t.test('a server on a loopback address accepts only the names of this machine', async (t) => {
  const ask = await listen(t, '127.0.0.1')
  for (const name of local) t.equal((await ask(name)).status, 200, name)
  for (const name of foreign) t.equal((await ask(name)).status, 421, name)
  t.match((await ask('rebound.example')).body, 'ALLOWED_HOSTS (--allowed-hosts)')
})

t.test('a header that a page may set does not replace Host', async (t) => {
  const ask = await listen(t, '127.0.0.1')
  t.equal((await ask('rebound.example', { 'x-forwarded-host': 'localhost' })).status, 421)
})

t.test('a 404 is not sent for other names either', async (t) => {
  const server = Fastify()
  t.teardown(() => server.close())
  checkHost(server, { host: '127.0.0.1', allowedHosts: [] })
  const address = await server.listen({ host: '127.0.0.1', port: 0 })
  const { response } = await rawRequest(t, address, 'GET', '/nothing', { host: 'rebound.example' })
  t.equal((await response).status, 421)
})

t.test('configured names are allowed, and so is the name that the server listens on', async (t) => {
  const ask = await listen(t, 'localhost', ['Uploads.example', 'fd00::1'])
  for (const name of [...local, 'uploads.example', 'uploads.EXAMPLE:80', '[fd00::1]:80']) {
    t.equal((await ask(name)).status, 200, name)
  }
  for (const name of foreign) t.equal((await ask(name)).status, 421, name)
})

t.test('a server that other machines can reach accepts every name, unless names are configured', async (t) => {
  const any = await listen(t, '0.0.0.0')
  t.equal((await any('rebound.example')).status, 200)
  const some = await listen(t, '0.0.0.0', ['uploads.example'])
  t.same(await Promise.all(['uploads.example', 'localhost', 'rebound.example'].map(async (name) =>
    (await some(name)).status)), [200, 200, 421])
})

t.test('with * every name is allowed', async (t) => {
  const ask = await listen(t, '127.0.0.1', ['*'])
  t.equal((await ask('rebound.example')).status, 200)
})
