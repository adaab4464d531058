import { once } from 'node:events'
import { createServer, request as forward } from 'node:http'
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'

/** A server behind the load balancer. */
export interface Backend {
  /** `undefined` while it does not run. */
  readonly endpoint: string | undefined
}

export interface Slice {
  /** Its position in the file. */
  start: number
  /** Half of its length. */
  half: number
}

/** Observes the requests that pass through the load balancer. */
export interface Watcher<B> {
  /** A server takes a request. */
  onRequest (backend: B, method: string): void
  /** A server has got the first half of a slice. The other half waits until this resolves. */
  onHalf (backend: B, slice: Slice): Promise<void>
}

export interface LoadBalancer {
  origin: string
  close (): void
}

/** A load balancer on the loopback interface: each request is passed on to the next server that runs. */
export async function startRoundRobin<B extends Backend> (
  backends: B[], watcher: Watcher<B>
): Promise<LoadBalancer> {
  // The server whose last request is the oldest comes first.
  const order = [...backends]

  function next (): B | undefined {
    const index = order.findIndex(({ endpoint }) => endpoint !== undefined)
    const [backend] = index === -1 ? [] : order.splice(index, 1)
    if (backend !== undefined) order.push(backend)
    return backend
  }

  const server = createServer((request, response) => {
    const backend = next()
    if (backend === undefined) {
      response.writeHead(503).end()
      return
    }
    // The connection of the client ends like that of the server.
    pass(request, response, backend, watcher).catch(() => response.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close () {
      server.close()
      server.closeAllConnections()
    }
  }
}

async function pass<B extends Backend> (
  request: IncomingMessage, response: ServerResponse, backend: B, watcher: Watcher<B>
): Promise<void> {
  const { method = '', headers, url = '' } = request
  watcher.onRequest(backend, method)
  const start = Number(headers['upload-offset'])
  const half = method === 'PATCH' ? Math.floor(Number(headers['content-length']) / 2) : 0
  const outgoing = forward(new URL(url, backend.endpoint), { method, headers })
  await Promise.all([
    send(request, outgoing, half, () => watcher.onHalf(backend, { start, half })),
    receive(outgoing, response)
  ])
}

/** Sends a body, with a pause after its first bytes. */
async function send (
  body: IncomingMessage, outgoing: ClientRequest, first: number, pause: () => Promise<void>
): Promise<void> {
  let sent = 0
  for await (const bytes of body as AsyncIterable<Buffer>) {
    const untilPause = first - sent
    if (untilPause > 0 && untilPause <= bytes.length) {
      await write(outgoing, bytes.subarray(0, untilPause))
      await pause()
      await write(outgoing, bytes.subarray(untilPause))
    } else {
      await write(outgoing, bytes)
    }
    sent += bytes.length
  }
  outgoing.end()
}

function write (outgoing: ClientRequest, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    outgoing.write(bytes, error => { error ? reject(error) : resolve() })
  })
}

async function receive (outgoing: ClientRequest, response: ServerResponse): Promise<void> {
  const [incoming] = await once(outgoing, 'response') as [IncomingMessage]
  response.writeHead(incoming.statusCode as number, incoming.headers)
  await pipeline(incoming, response)
}
