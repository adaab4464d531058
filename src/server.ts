import cluster from 'node:cluster'
import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import closeWithGrace from 'close-with-grace'
import { checkHost } from './allowed-hosts.ts'
import app from './app.ts'
import type { Config } from './config.ts'
import { StartError } from './errors.ts'
import type { LogOptions } from './terminal-log.ts'
import { PRIMARY_SIGNALS, serveAsWorker } from './worker.ts'

/** How long responses may take after a signal, in ms. */
const DRAIN_MS = 2000

/** Signals of a crash in native code. A process that handles these executes the failed instruction again, forever. */
export const CRASHES = ['SIGILL', 'SIGTRAP', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGSEGV'] as const

/** A listening server. */
export interface RunningServer {
  /** The creation URL. */
  endpoint: string
  /** The URL of the example client. */
  page: string
  /** Closes the server. Signals close it automatically. */
  close (): Promise<void>
}

/**
 * Starts the server. A signal closes it.
 * @param log - the format of the log; JSON by default
 * @throws StartError if the port, the address or the directory cannot be used
 */
export async function start (config: Config, log?: LogOptions): Promise<RunningServer> {
  const { worker } = cluster
  const server = Fastify({
    logger: { level: config.logLevel, ...log, ...worker && { base: { pid: process.pid, worker: worker.id } } },
    trustProxy: config.trustProxy,
    // A HEAD during shutdown must not get a 503: tus-js-client would create the upload again, from offset 0. The plugin
    // itself ends the bodies that are being received.
    return503OnClosing: false
  })
  checkHost(server, config)
  if (worker !== undefined) serveAsWorker(server)
  // Not awaited: listen() rejects with its errors.
  server.register(app, { config })
  const address = await listen(server, config)

  const urls = { endpoint: `${address}${config.prefix}`, page: `${address}/` }
  const skip = [...CRASHES, ...worker === undefined ? [] : PRIMARY_SIGNALS]
  const { uninstall } = closeWithGrace({ logger: server.log, skip }, event => closeFor(server, event))
  server.log.info(urls, 'ready for uploads')
  return {
    ...urls,
    async close () {
      uninstall()
      await server.close()
    }
  }
}

/** Closes the server after a signal or an uncaught error. */
export async function closeFor (server: FastifyInstance, event: { err?: Error, signal?: string }): Promise<void> {
  if (event.err) {
    server.log.fatal({ err: event.err }, 'closing after an unexpected error')
  } else {
    server.log.info({ signal: event.signal }, 'closing')
  }
  // An idle connection, or a reader that pauses, would otherwise delay the shutdown forever.
  setTimeout(() => server.server.closeAllConnections(), DRAIN_MS).unref()
  await server.close()
}

async function listen (server: FastifyInstance, { host, port }: Config): Promise<string> {
  try {
    return await server.listen({ host, port })
  } catch (error) {
    await server.close()
    throw explain(error as NodeJS.ErrnoException, `${host}, port ${port}`)
  }
}

/** Explains an error that the operator can fix in one line; other errors are unchanged. */
export function explain (error: NodeJS.ErrnoException, where: string): Error {
  const { code, message } = error
  if (code === 'EADDRINUSE') {
    return new StartError(`${where} is in use: choose another PORT (--port)`)
  }
  if (code === 'EACCES') {
    return new StartError(`Not allowed to listen on ${where}: choose a PORT (--port) of 1024 or above`)
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return new StartError(`Cannot listen on ${where}: HOST (--host) must be an address of this machine`)
  }
  if (code === 'FST_ERR_DUPLICATED_ROUTE') {
    return new StartError('PREFIX (--prefix) is a route of the server itself: choose another path')
  }
  if (code === 'FST_TUS_BUCKET') {
    return new StartError(`S3_BUCKET (--s3-bucket) cannot be used: ${message.replace(/^fastify-tus: /, '')}`)
  }
  if (code === 'FST_TUS_DIRECTORY') {
    return new StartError(`FILES_DIR (--dir) cannot be used: ${message.replace(/^.*?"directory": /, '')}`)
  }
  return error
}
