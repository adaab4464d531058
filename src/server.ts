import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import closeWithGrace from 'close-with-grace'
import { checkHost } from './allowed-hosts.ts'
import app from './app.ts'
import type { Config } from './config.ts'
import { StartError } from './errors.ts'

/** How long answers that are under way may take once the server is told to end, in ms. */
const DRAIN_MS = 2000

/** A server that listens. */
export interface RunningServer {
  /** The URL that clients send uploads to. */
  endpoint: string
  /** The URL of the example client. */
  page: string
  /** Closes the server, which the end of the process does by itself. */
  close (): Promise<void>
}

/**
 * Starts the server, and closes it when the process is told to end.
 * @throws StartError when something outside of the code is in the way: the port, the address, the directory
 */
export async function start (config: Config): Promise<RunningServer> {
  const server = Fastify({
    logger: { level: config.logLevel },
    trustProxy: config.trustProxy,
    // A client that asks for its offset while we close must not get a 503: tus-js-client takes that for "there is no
    // such upload" and starts again from zero. Uploads that are running are ended by the plugin itself.
    return503OnClosing: false
  })
  checkHost(server, config)
  // Not awaited: what goes wrong in there comes out of listen().
  server.register(app, { config })
  const address = await listen(server, config)

  const urls = { endpoint: `${address}${config.prefix}`, page: `${address}/` }
  const { uninstall } = closeWithGrace({ logger: server.log }, event => closeFor(server, event))
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
  // A connection that is silent, or whose reader pauses, would keep us waiting for ever.
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

/** Makes a line for the person who starts the server out of an error that they can mend; others stay as they are. */
export function explain (error: NodeJS.ErrnoException, where: string): Error {
  const { code, message } = error
  if (code === 'EADDRINUSE') {
    return new StartError(`Something else listens on ${where} already: choose another PORT (--port)`)
  }
  if (code === 'EACCES') {
    return new StartError(`Not allowed to listen on ${where}: choose a PORT (--port) from 1024 on`)
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return new StartError(`Cannot listen on ${where}: HOST (--host) must be an address of this machine`)
  }
  if (code === 'FST_ERR_DUPLICATED_ROUTE') {
    return new StartError('PREFIX (--prefix) is a path that the server itself answers: choose another one')
  }
  if (code === 'FST_TUS_DIRECTORY') {
    return new StartError(`FILES_DIR (--dir) cannot be used: ${message.replace(/^.*?"directory": /, '')}`)
  }
  return error
}
