import http from 'node:http'
import { once } from 'node:events'
import type { Test } from 'tap'
import { until } from '../helper.ts'

/** A running download, over a socket of its own. */
export interface Reader {
  status: number
  headers: http.IncomingHttpHeaders
  /** The bytes received so far. */
  received: () => Buffer
  /** Resolves once this many bytes have arrived. */
  has: (bytes: number) => Promise<void>
  /** Resolves with the complete body; rejects if the connection is cut before the end of the response. */
  all: Promise<Buffer>
  leave: () => void
}

/** Sends a GET, and resolves with its response headers. */
export async function read (t: Test, url: string, headers: http.OutgoingHttpHeaders = {}): Promise<Reader> {
  const request = http.get(url, { headers, agent: false })
  t.teardown(() => request.destroy())
  const [response] = await once(request, 'response') as [http.IncomingMessage]
  const chunks: Buffer[] = []
  response.on('data', (chunk: Buffer) => { chunks.push(chunk) })
  const received = () => Buffer.concat(chunks)
  const all = new Promise<Buffer>((resolve, reject) => {
    response.on('end', () => resolve(received())).on('error', reject)
  })
  // Not every test awaits the end.
  all.catch(() => {})
  return {
    status: response.statusCode as number,
    headers: response.headers,
    received,
    has: (bytes) => until(() => received().length >= bytes),
    all,
    leave: () => request.destroy()
  }
}
