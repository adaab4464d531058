/** Common parts of the benchmark servers on Node.js: arguments, listening and exit. */
import type { RequestListener, Server } from 'node:http'
import { createServer } from 'node:http'
import { answerQuestions } from './questions.ts'

export interface ServerOptions {
  /** The existing directory for uploads. */
  directory: string
  /** The port to listen on, on 127.0.0.1. */
  port: number
}

/** The options of the server. */
export const options = JSON.parse(process.argv[2] ?? '{}') as ServerOptions & Record<string, unknown>

// The parent process may end without notice.
process.on('disconnect', () => process.exit())
answerQuestions()

/** Listens with the HTTP server of Node.js and its defaults. */
export function listen (listener: RequestListener): Server {
  return createServer(listener).listen(options.port, '127.0.0.1')
}
