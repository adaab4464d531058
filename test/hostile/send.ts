import net from 'node:net'
import { type Parsed, parseResponse } from '../../conformance/response-parser.ts'
import type { Head } from '../../conformance/transport.ts'

/** The time that the server may take for all input of a connection, in ms: longer is a hang. */
const HANG = 10_000

export interface HttpResponse extends Head {
  body: string
  interim: Head[]
}

export interface Exchange {
  responses: HttpResponse[]
  /** Received bytes that are not a complete response. */
  rest: string
  /** Whether the server ended the connection; otherwise it hung. */
  ended: boolean
}

/**
 * Sends bytes over a connection of their own, and reads until the server ends that.
 * @param method - of the first request: the response to HEAD has no body
 * @param half - ends the own side after the last byte: a truncated request will not be completed
 * @throws Error if the received bytes are not HTTP
 */
export async function send (port: number, bytes: Buffer, method: string, half: boolean): Promise<Exchange> {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
  const chunks: Buffer[] = []
  const ended = await new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => {
      resolve(false)
      socket.destroy()
    }, HANG)
    // A reset is an end too, if the server does not want the request.
    socket.on('error', () => {})
    socket.on('data', (data) => chunks.push(data))
    socket.on('end', () => socket.end())
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(true)
    })
    if (half) socket.end(bytes)
    else socket.write(bytes)
  })
  return { ...parseAnswers(Buffer.concat(chunks), method), ended }
}

function parseAnswers (bytes: Buffer, method: string): Omit<Exchange, 'ended'> {
  const responses: HttpResponse[] = []
  let rest = bytes
  while (rest.length > 0) {
    let parsed: Parsed = parseResponse(rest, responses.length === 0 ? method : 'GET', true)
    // The response of the Node.js parser to malformed input has no date, and a body even for HEAD.
    const isFromParser = parsed.head?.headers.every(([name]) => name.toLowerCase() !== 'date') ?? false
    if (isFromParser) parsed = parseResponse(rest, 'GET', true)
    if (parsed.head === undefined || parsed.body === undefined) break
    responses.push({ ...parsed.head, body: parsed.body.toString(), interim: parsed.interim })
    rest = parsed.rest
  }
  return { responses, rest: rest.toString('latin1') }
}

/** The only value of a header, or all of them joined as HTTP does. */
export function header (response: HttpResponse, name: string): string | undefined {
  const values = response.headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value)
  return values.length === 0 ? undefined : values.join(', ')
}
