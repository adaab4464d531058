import { errors } from '../../errors.ts'
import { completenessOf } from './dialects.ts'
import { parseInteger } from './fields.ts'
import type { Exchange } from './handler.ts'

/**
 * Dialects up to -05 forbid fields of the state of an upload in HEAD and DELETE.
 * @throws FST_TUS_INVALID_HEADER
 */
export function refuseStray ({ request: { headers, method }, dialect }: Exchange): void {
  if (!dialect.refusesStray) return
  const hasOffset = parseInteger(headers['upload-offset']) !== undefined
  if (!hasOffset && completenessOf(headers) === undefined) return
  throw new errors.InvalidHeader(hasOffset ? 'Upload-Offset' : 'Upload-Complete', `is not allowed for ${method}`)
}
