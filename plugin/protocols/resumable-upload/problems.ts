import type { FastifyReply } from 'fastify'
import { errors, type TusError } from '../../errors.ts'

/** The registry of problem types (RFC 9457, 4.2). */
const REGISTRY = 'https://iana.org/assignments/http-problem-types#'

interface Problem {
  type: string
  title: string
  statusCode: number
  /** The members that the draft defines for this type (section 7). */
  members: (data: TusError['data']) => object
}

const offset: Problem = {
  type: `${REGISTRY}mismatching-upload-offset`,
  title: 'Upload-Offset does not match the offset of the upload',
  statusCode: 409,
  members: ({ expected, provided }) => ({ 'expected-offset': expected, 'provided-offset': provided })
}

const length: Problem = {
  type: `${REGISTRY}inconsistent-upload-length`,
  title: 'Upload-Length, Upload-Complete or the body contradict the length of the upload',
  statusCode: 400,
  members: () => ({})
}

const problems: Array<[kind: (typeof errors)[keyof typeof errors], problem: Problem]> = [
  [errors.OffsetMismatch, offset], [errors.LengthMismatch, length], [errors.BodyTooLong, length]
]

/** The problem that an error is, if the draft has a type for it. */
export function problemOf (error: unknown): Problem | undefined {
  return problems.find(([kind]) => error instanceof kind)?.[1]
}

/** Sends a problem (RFC 9457, 3). */
export function sendProblem (reply: FastifyReply, problem: Problem, { code, message, data }: TusError): FastifyReply {
  const { type, title, statusCode, members } = problem
  const body = { type, title, status: statusCode, detail: message, code, ...members(data) }
  return reply.code(statusCode).type('application/problem+json').send(JSON.stringify(body))
}
