/** What every server of the benchmark that runs on Node.js needs: its arguments, a port, and an end. */
import type { RequestListener, Server } from 'node:http'
import { createServer } from 'node:http'
import { answerQuestions } from './questions.ts'

export interface ServerOptions {
  /** Where uploads are kept; it exists. */
  directory: string
  /** Where to listen, on 127.0.0.1. */
  port: number
}

/** What the server was started with. */
export const options = JSON.parse(process.argv[2] ?? '{}') as ServerOptions & Record<string, unknown>

// The benchmark that started this process may have ended without a word.
process.on('disconnect', () => process.exit())
answerQuestions()

/** Listens with the HTTP server of Node.js and its defaults. */
export function listen (listener: RequestListener): Server {
  return createServer(listener).listen(options.port, '127.0.0.1')
}
