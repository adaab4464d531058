import { createHash } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { errors } from '../../plugin/errors.ts'
import { OFFSET_OCTET_STREAM } from '../helper.ts'
import { rawRequest, type RawRequest, type RawResponse } from '../raw-request.ts'

/** `undefined`: the connection ended without a response. */
export type MaybeResponse = RawResponse | undefined

/** The protection of a body: a checksum before or after it, right or wrong. */
export type Guard = 'none' | 'right' | 'wrong' | 'right trailer' | 'wrong trailer'

export interface BodyShape {
  bytes: Buffer
  guard: Guard
  chunked: boolean
  /** After how many bytes the client disappears, and how: with FIN or RST. */
  cut?: { after: number, how: 'end' | 'reset' } | undefined
}

/** The status of each error code. */
const table = new Map(Object.values(errors).map(({ prototype }) => {
  const { code, statusCode } = new (prototype.constructor as new () => { code: string, statusCode: number })()
  return [code, statusCode]
}))

/** @throws Error if a response is neither a success nor a known error, or is an internal error of the server */
export function checkResponse ({ status, body, headers }: RawResponse, method: string): void {
  if (headers['tus-resumable'] !== '1.0.0') throw new Error(`a response without a version: ${status}`)
  if (status < 300) return
  if (method === 'HEAD') {
    if (![404, 410, 423].includes(status)) throw new Error(`HEAD returns ${status}`)
    return
  }
  const { code, statusCode } = JSON.parse(body) as { code: string, statusCode: number }
  if (table.get(code) !== status || statusCode !== status) throw new Error(`an unknown error: ${status} ${body}`)
  if (status >= 500 && code !== 'FST_TUS_SHUTDOWN') throw new Error(`the server failed: ${status} ${body}`)
}

/** A truncated request is malformed, and Fastify rejects it before the plugin runs. */
export function isOfParser ({ status, headers }: RawResponse): boolean {
  return status === 400 && !('tus-resumable' in headers)
}

/**
 * The server discards up to this many bytes of a refused body; beyond that, the response may be lost with the
 * connection.
 */
const READ_AWAY_BYTES = 1024 * 1024

/** Whether a client may miss the response that refuses its body. */
export function mayBeUnheard (shape: BodyShape | undefined): boolean {
  return shape !== undefined && shape.bytes.length > READ_AWAY_BYTES
}

/** The headers and the bytes of a body, as sent. */
export function encode ({ bytes, guard, chunked }: BodyShape): { headers: Record<string, string>, body: Buffer } {
  const digest = `sha1 ${createHash('sha1').update(bytes).digest('base64')}`
  const sent = guard.startsWith('wrong') ? inverted(bytes) : bytes
  const type = { 'content-type': OFFSET_OCTET_STREAM }
  const before = guard === 'right' || guard === 'wrong' ? { 'upload-checksum': digest } : {}
  if (!chunked && !guard.endsWith('trailer')) {
    return { headers: { ...type, ...before, 'content-length': String(sent.length) }, body: sent }
  }
  const announced = guard.endsWith('trailer') ? { trailer: 'Upload-Checksum' } : {}
  const chunk = sent.length === 0 ? [] : [Buffer.from(`${sent.length.toString(16)}\r\n`), sent, Buffer.from('\r\n')]
  const end = guard.endsWith('trailer') ? `0\r\nUpload-Checksum: ${digest}\r\n\r\n` : '0\r\n\r\n'
  return {
    headers: { ...type, ...before, ...announced, 'transfer-encoding': 'chunked' },
    body: Buffer.concat([...chunk, Buffer.from(end)])
  }
}

/** Sent with a wrong checksum: no byte of it may ever be read back. */
function inverted (bytes: Buffer): Buffer {
  return Buffer.from(bytes.map((byte) => byte ^ 0xff))
}

/** Begins a request; the caller closes its socket. */
export async function open (
  base: string, method: string, target: string, headers: Record<string, string>, body?: Buffer
): Promise<RawRequest> {
  return await rawRequest({ teardown: () => {} }, base, method, target, { 'tus-resumable': '1.0.0', ...headers }, body)
}

/** Time limit for a response: none of these requests reaches a time limit of the server. */
const RESPONSE_MS = 30_000

/**
 * Waits for the response, and ends the connection.
 * @throws Error if none arrives
 */
export async function responseOf ({ response, socket }: RawRequest): Promise<MaybeResponse> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no response in ${RESPONSE_MS} ms`)), RESPONSE_MS)
  })
  try {
    return await Promise.race([response.catch(() => undefined), late])
  } finally {
    clearTimeout(timer)
    socket.destroy()
  }
}

/** Sends a request with its body, possibly cut off, and resolves with the response. */
export async function send (
  base: string, method: string, target: string, headers: Record<string, string> = {}, shape?: BodyShape
): Promise<MaybeResponse> {
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
  const reply = await responseOf(request)
  if (cut !== undefined && reply !== undefined && isOfParser(reply)) return undefined
  if (reply !== undefined) checkResponse(reply, method)
  return reply
}
