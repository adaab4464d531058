import net from 'node:net'
import { type Parsed, parseResponse } from '../../conformance/response-parser.ts'
import type { Head } from '../../conformance/transport.ts'

/** How long the server may take for all that a connection brings, in ms: longer is a hang. */
const HANG = 10_000

export interface Answer extends Head {
  body: string
  interim: Head[]
}

export interface Exchange {
  answers: Answer[]
  /** Bytes that came and are no whole answer. */
  rest: string
  /** Whether the server ended the connection by itself; if not, it hung. */
  ended: boolean
}

/**
 * Sends bytes over a connection of their own, and reads until the server ends that.
 * @param method - of the first request: the answer to HEAD has no body
 * @param half - ends the own side once all is sent: what is cut off will not be completed
 * @throws where what came is not HTTP
 */
export async function send (port: number, bytes: Buffer, method: string, half: boolean): Promise<Exchange> {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
  const chunks: Buffer[] = []
  const ended = await new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => {
      resolve(false)
      socket.destroy()
    }, HANG)
    // A reset is an end too, where the server does not want what is sent.
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
  const answers: Answer[] = []
  let rest = bytes
  while (rest.length > 0) {
    let parsed: Parsed = parseResponse(rest, answers.length === 0 ? method : 'GET', true)
    // What the parser of Node.js says to what it cannot read has no date, and a body whatever was asked.
    const isFromParser = parsed.head?.headers.every(([name]) => name.toLowerCase() !== 'date') ?? false
    if (isFromParser) parsed = parseResponse(rest, 'GET', true)
    if (parsed.head === undefined || parsed.body === undefined) break
    answers.push({ ...parsed.head, body: parsed.body.toString(), interim: parsed.interim })
    rest = parsed.rest
  }
  return { answers, rest: rest.toString('latin1') }
}

/** The only value of a header, or all of them joined as HTTP does. */
export function header (answer: Answer, name: string): string | undefined {
  const values = answer.headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value)
  return values.length === 0 ? undefined : values.join(', ')
}
