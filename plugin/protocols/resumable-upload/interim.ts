import { sendInterim } from '../../http/informational.ts'
import type { Body } from '../../uploads/body/body.ts'
import { completenessOf, knownVersionOf } from './dialects.ts'
import { type Exchange, locationFor } from './handler.ts'
import { formatLimits } from './limits.ts'

/** Upload Resumption Supported (section 5). */
const UPLOAD_RESUMPTION_SUPPORTED = 104

/**
 * Whether the client gets interim responses: only one that names a version that this server knows (appendix "Draft
 * Version Identification"), for a body that may be interrupted.
 */
export function getsInterim ({ context, request }: Exchange, body: Body): boolean {
  const { interimResponses } = context.settings
  return interimResponses && knownVersionOf(request.headers) !== undefined && body.length !== 0 &&
    completenessOf(request.headers) !== undefined
}

/** The body, with interim responses: the URL of a new upload once it exists, and then its offset from time to time. */
export function withInterim (exchange: Exchange, body: Body): Body {
  if (!getsInterim(exchange, body)) return body
  const { context: { settings: { progressInterval } }, dialect } = exchange
  const isCreation = exchange.id === ''
  let location: Record<string, string> = {}
  let last = performance.now()
  return {
    ...body,
    accept (upload) {
      body.accept(upload)
      if (!isCreation) return
      location = { location: locationFor(exchange, upload) }
      const limits = { 'upload-limit': formatLimits(exchange.context.settings, dialect, upload) }
      send(exchange, dialect.lifetime === undefined ? location : { ...location, ...limits })
    },
    onStored (offset) {
      const now = performance.now()
      if (!dialect.reportsProgress || now - last < progressInterval) return
      last = now
      send(exchange, { ...dialect.repeatsLocation ? location : {}, 'upload-offset': String(offset) })
    }
  }
}

function send ({ request, reply }: Exchange, headers: Record<string, string>): void {
  const version = String(knownVersionOf(request.headers))
  sendInterim(request, reply, UPLOAD_RESUMPTION_SUPPORTED, { ...headers, 'upload-draft-interop-version': version })
}
