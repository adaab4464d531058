import { once } from 'node:events'
import net from 'node:net'
import type { Test } from 'tap'

export interface RawResponse {
  status: number
  headers: Record<string, string>
  body: string
}

/** A request over a raw socket, so that its body may stop in the middle. */
export interface RawRequest {
  socket: net.Socket
  /** Resolves with the final response; rejects if the connection ends without one. */
  response: Promise<RawResponse>
  /** Resolves on `100 Continue`, when the server begins to read the body. */
  wanted: Promise<void>
}

/** Sends only what it is given: `headers` must frame the body themselves. */
export async function rawRequest (
  t: Pick<Test, 'teardown'>,
  base: string,
  method: string,
  target: string,
  headers: Record<string, string>,
  body: string | Buffer = ''
): Promise<RawRequest> {
  const { hostname, port, host } = new URL(base)
  const socket = net.connect(Number(port), hostname)
  t.teardown(() => socket.destroy())
  await once(socket, 'connect')

  let received = Buffer.alloc(0)
  let isWanted = () => {}
  const wanted = new Promise<void>((resolve) => { isWanted = resolve })
  const response = new Promise<RawResponse>((resolve, reject) => {
    socket.on('error', reject)
    socket.on('close', () => reject(new Error(`no response, but ${JSON.stringify(received.toString())}`)))
    socket.on('data', (data) => {
      received = Buffer.concat([received, data])
      const interim = 'HTTP/1.1 100 Continue\r\n\r\n'
      if (received.toString('latin1').startsWith(interim)) {
        received = received.subarray(interim.length)
        isWanted()
      }
      const parsed = parse(received.toString('latin1'), method)
      if (parsed !== undefined) resolve(parsed)
    })
  })
  // Not every test awaits the response.
  response.catch(() => {})

  const lines = Object.entries({ host, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.write(Buffer.concat([Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`), Buffer.from(body)]))
  return { socket, response, wanted }
}

function parse (text: string, method: string): RawResponse | undefined {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n')
  const headers = Object.fromEntries(lines.map((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
  }))
  const length = method === 'HEAD' ? 0 : Number(headers['content-length'] ?? 0)
  const body = text.slice(end + 4, end + 4 + length)
  if (body.length < length) return undefined
  return { status: Number(statusLine.split(' ')[1]), headers, body }
}
