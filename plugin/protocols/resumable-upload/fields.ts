/**
 * The header fields of the protocol, which are Structured Fields (RFC 9651). A field of another type counts as absent
 * (section 4.1), so these functions never throw.
 */
import { type BareItem, parseItem, serializeDictionary } from 'structured-headers'

/** The value of a header of Node.js. */
export type FieldValue = string | string[] | undefined

/** The largest Integer (RFC 9651, 3.3.1). */
const MAX_INTEGER = 999_999_999_999_999

/** The parser returns the same number for the Integer `1` and the Decimal `1.0`. */
const INTEGER = /^ *\d+(?![\d.])/

/** A non-negative Integer; `undefined` for anything else. */
export function parseInteger (value: FieldValue): number | undefined {
  const item = bareItemOf(value)
  return typeof item === 'number' && INTEGER.test(String(value)) ? item : undefined
}

/** A Boolean; `undefined` for anything else. */
export function parseBoolean (value: FieldValue): boolean | undefined {
  const item = bareItemOf(value)
  return typeof item === 'boolean' ? item : undefined
}

export function formatBoolean (value: boolean): string {
  return value ? '?1' : '?0'
}

/** Formats a Dictionary of Integers. */
export function formatIntegers (values: Record<string, number>): string {
  const entries = Object.entries(values).map(([name, value]) => [name, Math.min(value, MAX_INTEGER)])
  return serializeDictionary(Object.fromEntries(entries) as Record<string, number>)
}

/** The value of an Item without its parameters. Node.js joins repeated fields into a list, which is not an Item. */
function bareItemOf (value: FieldValue): BareItem | undefined {
  if (typeof value !== 'string') return undefined
  try {
    return parseItem(value)[0]
  } catch {
    return undefined
  }
}
