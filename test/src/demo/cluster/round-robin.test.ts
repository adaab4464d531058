import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { startRoundRobin } from '../../../../src/demo/cluster/round-robin.ts'
import type { Backend, Watcher } from '../../../../src/demo/cluster/round-robin.ts'

type Listener = (request: IncomingMessage, response: ServerResponse) => unknown

interface Server extends Backend {
  endpoint: string | undefined
}

async function startServer (t: Test, listener: Listener): Promise<Server> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

async function balance (t: Test, servers: Server[], watcher: Partial<Watcher<Server>> = {}): Promise<string> {
  const balancer = await startRoundRobin(servers, { onRequest () {}, async onHalf () {}, ...watcher })
  t.teardown(() => balancer.close())
  return balancer.origin
}

const named = (name: string): Listener => async (request, response) => {
  response.writeHead(201, { name })
  response.end(`${request.method} ${request.url} ${await text(request)}`)
}

t.test('each request is passed on to the next server that runs', async t => {
  const servers = await Promise.all(['A', 'B', 'C'].map(name => startServer(t, named(name))))
  const origin = await balance(t, servers)
  const ask = async () => {
    const { status, headers } = await fetch(`${origin}/files?x=1`)
    return headers.get('name') ?? String(status)
  }
  t.same([await ask(), await ask(), await ask(), await ask()], ['A', 'B', 'C', 'A'])
  const { endpoint } = servers[1] as Server
  Object.assign(servers[1] as Server, { endpoint: undefined })
  t.same([await ask(), await ask(), await ask()], ['C', 'A', 'C'])
  Object.assign(servers[1] as Server, { endpoint })
  t.same([await ask(), await ask()], ['B', 'A'])
  for (const server of servers) server.endpoint = undefined
  t.equal(await ask(), '503')
})

t.test('requests and responses are passed on unchanged', async t => {
  const origin = await balance(t, [await startServer(t, named('A'))])
  const response = await fetch(`${origin}/files?x=1`, { method: 'POST', body: 'hello' })
  t.equal(response.status, 201)
  t.equal(await response.text(), 'POST /files?x=1 hello')
})

t.test('a slice waits after its first half, and arrives complete', async t => {
  const events: string[] = []
  const server = await startServer(t, async (request, response) => {
    let received = 0
    request.on('data', (bytes: Buffer) => {
      received += bytes.length
      if (received === 500_000) events.push('half received')
    })
    await once(request, 'end')
    events.push(`received ${received}`)
    response.end()
  })
  const origin = await balance(t, [server], {
    onRequest: (backend, method) => { events.push(`${method} ${backend === server}`) },
    async onHalf (backend, slice) {
      t.equal(backend, server)
      t.same(slice, { start: 7, half: 500_000 })
      while (!events.includes('half received')) await new Promise(resolve => setImmediate(resolve))
      events.push('continued')
    }
  })
  await fetch(origin, { method: 'PATCH', headers: { 'upload-offset': '7' }, body: Buffer.alloc(1_000_000) })
  t.same(events, ['PATCH true', 'half received', 'continued', 'received 1000000'])
})

t.test('the connection of the client ends like that of the server', async t => {
  const server = await startServer(t, request => { request.socket.destroy() })
  const origin = await balance(t, [server])
  await t.rejects(fetch(origin))
  await t.rejects(fetch(origin, { method: 'PATCH', body: Buffer.alloc(1_000_000) }))
})
