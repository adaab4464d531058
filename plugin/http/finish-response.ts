import { validateHeaderName, validateHeaderValue } from 'node:http'
import type { FastifyReply } from 'fastify'
import type { FinishResponse } from '../types.ts'

/**
 * Sends a response with the changes of the finish hook.
 * @throws TypeError, RangeError if the hook returned a value that HTTP cannot carry
 */
export function sendFinishResponse (
  reply: FastifyReply, statusCode: number, finish: FinishResponse = {}
): FastifyReply {
  const { body, headers = {}, statusCode: wanted } = finish
  if (body !== undefined && typeof body !== 'string') {
    throw new TypeError(`onUploadFinish returned a body of type ${typeof body}, not a string`)
  }
  if (wanted !== undefined && !(Number.isInteger(wanted) && wanted >= 200 && wanted <= 599)) {
    throw new RangeError(`onUploadFinish returned the status ${String(wanted)}`)
  }
  for (const [name, value] of Object.entries(headers)) {
    validateHeaderName(name)
    validateHeaderValue(name, value)
  }
  reply.headers(headers)
  reply.code(wanted ?? (statusCode === 204 && body !== undefined ? 200 : statusCode))
  return reply.send(body)
}
