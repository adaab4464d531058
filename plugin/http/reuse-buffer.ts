import { ServerResponse } from 'node:http'
import { Http2ServerResponse } from 'node:http2'
import type { FastifyReply } from 'fastify'
import type { FileReader } from '../stores/file/file-reader.ts'

/** The methods of Node.js that only pass bytes on to the socket. */
const plainWrites: ReadonlySet<unknown> = new Set([ServerResponse.prototype.write, Http2ServerResponse.prototype.write])

/**
 * Lets a body read all of its pieces into the same buffer if nothing but the response gets them. A hook of the app may
 * replace the body by another stream, as compression does, or listen to its bytes; code of the app may replace `write`
 * of the response. The body then gets a buffer for each piece.
 *
 * The bytes that Node.js has accepted but not passed on to the system count in `writableLength`, over TLS and HTTP/2 as
 * well: it is 0 once no buffer is in use.
 */
export function reuseBuffer (body: FileReader, { raw: response }: FastifyReply): void {
  response.once('pipe', (source: unknown) => {
    if (source !== body || !plainWrites.has(response.write) || body.listenerCount('data') > 1) return
    body.reuseBuffer(() => response.writableLength === 0)
    body.on('newListener', (event) => {
      if (['data', 'readable'].includes(String(event))) body.reuseBuffer(undefined)
    })
  })
}
