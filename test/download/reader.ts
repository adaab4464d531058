import http from 'node:http'
import { once } from 'node:events'
import type { Test } from 'tap'
import { until } from '../helper.ts'

/** A download under way, over a socket of its own. */
export interface Reader {
  status: number
  headers: http.IncomingHttpHeaders
  /** What came so far. */
  received: () => Buffer
  /** Resolves when so many bytes are there. */
  has: (bytes: number) => Promise<void>
  /** Resolves with all of it; rejects where the connection is cut before the end of the answer. */
  all: Promise<Buffer>
  leave: () => void
}

/** Sends a GET, and resolves when its headers are answered. */
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
  // Not every test asks for the end.
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
