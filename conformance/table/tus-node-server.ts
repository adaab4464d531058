import { createServer } from 'node:http'
import { FileStore } from '@tus/file-store'
import { Server } from '@tus/server'
import { UNCAUGHT } from './uncaught.ts'

/** How the server is set up. */
export interface TusNodeServerOptions {
  directory: string
  port: number
  maxSize?: number
  /** After how long uploads expire, in ms. */
  expiration?: number
  /** How often expired uploads are deleted, in ms. */
  sweepsEvery?: number
}

// A process of its own, as the other servers are: `@tus/server` with `@tus/file-store` on the HTTP server of Node.
const { directory, port, maxSize, expiration, sweepsEvery } = JSON.parse(process.argv[2]!) as TusNodeServerOptions

// A reader that hangs up at once makes the body of the answer throw where nobody catches it. That would end the
// process, and with it whatever else is asked: it is counted instead.
process.on('uncaughtException', ({ message }) => { process.stderr.write(`${UNCAUGHT}${message}\n`) })

const datastore = new FileStore({
  directory, ...(expiration === undefined ? {} : { expirationPeriodInMilliseconds: expiration })
})
const server = new Server({ path: '/files', datastore, ...(maxSize === undefined ? {} : { maxSize }) })
if (sweepsEvery !== undefined) {
  setInterval(() => { server.cleanUpExpiredUploads().catch(() => {}) }, sweepsEvery)
}
createServer((request, response) => {
  server.handle(request, response).catch(() => { response.destroy() })
}).listen(port, '127.0.0.1')
