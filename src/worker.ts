import cluster from 'node:cluster'
import { once } from 'node:events'
import { Server } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { StartError } from './errors.ts'

/** What a worker reports to the primary process: that it listens, or why it cannot. */
export type Report = { endpoint: string, page: string } | { failure: string }

/** The only message to a worker: another one has taken its place. */
export const DRAIN = 'drain'

/** Signals that a terminal or a user sends to all processes. The primary process handles them for its workers. */
export const PRIMARY_SIGNALS = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGUSR2'] as const

/** Reports to the primary process. */
export function report (report: Report): void {
  process.send?.(report)
}

/** Reports why this worker cannot start, and ends it. */
export function reportFailure ({ message }: StartError): void {
  process.send?.({ failure: message } satisfies Report, () => process.disconnect())
}

/** Leaves signals to the primary process. A worker that is replaced ends after its last connection. */
export function serveAsWorker (server: FastifyInstance): void {
  let isReplaced = false
  server.addHook('onRequest', async (_request, reply) => {
    if (isReplaced) reply.header('connection', 'close')
  })
  // They end all processes of a terminal, unless they are handled.
  for (const signal of PRIMARY_SIGNALS) process.on(signal, () => {})
  process.on('message', (message) => {
    if (message !== DRAIN) return
    isReplaced = true
    drain(server).catch((err: unknown) => server.log.error({ err }, 'worker not closed'))
  })
}

/** Idle connections end by their own timeout: a request on one of them may be on its way. */
async function drain (server: FastifyInstance): Promise<void> {
  const closed = once(server.server, 'close')
  // `close` of an HTTP server would also close idle connections.
  Server.prototype.close.call(server.server)
  await closed
  server.log.info('worker replaced')
  await server.close()
  cluster.worker?.disconnect()
}
