import { createHash } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { errors } from '../../plugin/errors.ts'
import { OFFSET_OCTET_STREAM } from '../helper.ts'
import { rawRequest, type RawRequest, type RawResponse } from '../raw-request.ts'

/** `undefined`: the connection ended without one. */
export type Answer = RawResponse | undefined

/** How a body is guarded: by a checksum before or behind it, right or wrong. */
export type Guard = 'none' | 'right' | 'wrong' | 'right trailer' | 'wrong trailer'

export interface BodyShape {
  bytes: Buffer
  guard: Guard
  chunked: boolean
  /** After how many bytes the client is gone, and how: it says so, or not. */
  cut?: { after: number, how: 'end' | 'reset' } | undefined
}

/** What each code of the table has as its status. */
const table = new Map(Object.values(errors).map(({ prototype }) => {
  const { code, statusCode } = new (prototype.constructor as new () => { code: string, statusCode: number })()
  return [code, statusCode]
}))

/** @throws Error where an answer is no success and none of the errors of the table, or the server's own failure */
export function checkAnswer ({ status, body, headers }: RawResponse, method: string): void {
  if (headers['tus-resumable'] !== '1.0.0') throw new Error(`an answer without a version: ${status}`)
  if (status < 300) return
  if (method === 'HEAD') {
    if (![404, 410, 423].includes(status)) throw new Error(`HEAD answers ${status}`)
    return
  }
  const { code, statusCode } = JSON.parse(body) as { code: string, statusCode: number }
  if (table.get(code) !== status || statusCode !== status) throw new Error(`an error that is not of the table: ${status} ${body}`)
  if (status >= 500 && code !== 'FST_TUS_SHUTDOWN') throw new Error(`the server failed: ${status} ${body}`)
}

/** A request that ends where none may end is none, and Fastify says so before the plugin has a say. */
export function isOfParser ({ status, headers }: RawResponse): boolean {
  return status === 400 && !('tus-resumable' in headers)
}

/** Of a refused body so many bytes are read, and the answer may be lost with the connection behind them. */
const READ_AWAY_BYTES = 1024 * 1024

/** Whether a client may not hear why its body is refused. */
export function mayBeUnheard (shape: BodyShape | undefined): boolean {
  return shape !== undefined && shape.bytes.length > READ_AWAY_BYTES
}

/** The headers and the bytes of a body, as they go over the wire. */
export function encode ({ bytes, guard, chunked }: BodyShape): { headers: Record<string, string>, body: Buffer } {
  const digest = `sha1 ${createHash('sha1').update(bytes).digest('base64')}`
  const sent = guard.startsWith('wrong') ? inverted(bytes) : bytes
  const type = { 'content-type': OFFSET_OCTET_STREAM }
  const before = guard === 'right' || guard === 'wrong' ? { 'upload-checksum': digest } : {}
  if (!chunked && !guard.endsWith('trailer')) {
    return { headers: { ...type, ...before, 'content-length': String(sent.length) }, body: sent }
  }
  const behind = guard.endsWith('trailer') ? { trailer: 'Upload-Checksum' } : {}
  const chunk = sent.length === 0 ? [] : [Buffer.from(`${sent.length.toString(16)}\r\n`), sent, Buffer.from('\r\n')]
  const end = guard.endsWith('trailer') ? `0\r\nUpload-Checksum: ${digest}\r\n\r\n` : '0\r\n\r\n'
  return {
    headers: { ...type, ...before, ...behind, 'transfer-encoding': 'chunked' },
    body: Buffer.concat([...chunk, Buffer.from(end)])
  }
}

/** What is sent where its checksum is wrong: no byte of it may ever be seen again. */
function inverted (bytes: Buffer): Buffer {
  return Buffer.from(bytes.map((byte) => byte ^ 0xff))
}

/** Begins a request; what it opens is for the caller to close. */
export async function open (
  base: string, method: string, target: string, headers: Record<string, string>, body?: Buffer
): Promise<RawRequest> {
  return await rawRequest({ teardown: () => {} }, base, method, target, { 'tus-resumable': '1.0.0', ...headers }, body)
}

/** How long a request may take: none of these is answered after a time limit of the server's. */
const ANSWER_MS = 30_000

/**
 * Waits for the answer, and ends the connection.
 * @throws Error where nothing comes
 */
export async function answerOf ({ response, socket }: RawRequest): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${ANSWER_MS} ms`)), ANSWER_MS)
  })
  try {
    return await Promise.race([response.catch(() => undefined), late])
  } finally {
    clearTimeout(timer)
    socket.destroy()
  }
}

/** Sends a request, as far as its body goes, and resolves with the answer. */
export async function send (
  base: string, method: string, target: string, headers: Record<string, string> = {}, shape?: BodyShape
): Promise<Answer> {
  const encoded = shape && encode(shape)
  const { cut } = shape ?? {}
  const request = await open(base, method, target, { ...headers, ...encoded?.headers },
    cut === undefined ? encoded?.body : encoded?.body.subarray(0, cut.after)).catch(() => undefined)
  if (request === undefined) return undefined
  if (cut?.how === 'end') request.socket.end()
  if (cut?.how === 'reset') {
    await turn()
    request.socket.resetAndDestroy()
  }
  const answer = await answerOf(request)
  if (cut !== undefined && answer !== undefined && isOfParser(answer)) return undefined
  if (answer !== undefined) checkAnswer(answer, method)
  return answer
}
