import { createServer } from 'node:http'
import { FileStore } from '@tus/file-store'
import { Server } from '@tus/server'
import { UNCAUGHT } from './uncaught.ts'

/** The options of the server. */
export interface TusNodeServerOptions {
  directory: string
  port: number
  maxSize?: number
  /** The lifetime of uploads, in ms. */
  expiration?: number
  /** The interval at which expired uploads are deleted, in ms. */
  sweepsEvery?: number
}

// `@tus/server` with `@tus/file-store` on `node:http`, in its own process like the other servers.
const { directory, port, maxSize, expiration, sweepsEvery } = JSON.parse(process.argv[2]!) as TusNodeServerOptions

// If a reader disconnects at once, the response body throws an uncaught exception. It would end the process and all
// checks in progress, so it is only counted.
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
