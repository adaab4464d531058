import { parseDictionary } from 'structured-headers'
import { header } from '../expectation.ts'
import type { WireResponse } from '../transport.ts'

/** The Integers in `Upload-Limit`; empty without the field, or if it is not a Dictionary (RFC 9651, 3.2). */
export function limitsOf (response: Pick<WireResponse, 'headers'>): Map<string, number> {
  try {
    const entries = [...parseDictionary(header(response, 'upload-limit') ?? '')]
    return new Map(entries.flatMap(([name, [value]]) => Number.isSafeInteger(value) ? [[name, value as number]] : []))
  } catch {
    return new Map()
  }
}
