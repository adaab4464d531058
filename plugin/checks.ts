/** Checks of option values. Each error names the option and the expected value. */
import { errors } from './errors.ts'

/** @throws FST_TUS_INVALID_OPTION */
export function check (isValid: boolean, complaint: string): asserts isValid {
  if (!isValid) throw new errors.InvalidOption(complaint)
}

/** Refuses unknown keys of an option. */
export function checkNone (name: string, unknown: object): void {
  for (const key of Object.keys(unknown)) check(false, `"${name}.${key}" is unknown`)
}

/** An integer, 0 or above. */
export function wholeNumber (name: string, value: number | undefined, otherwise: number): number {
  if (value === undefined) return otherwise
  check(Number.isSafeInteger(value) && value >= 0, `"${name}" must be an integer, 0 or above`)
  return value
}

/** An integer above 0; `Infinity` if the option is not set. */
export function limit (name: string, value: number | undefined): number {
  check(value === undefined || (Number.isSafeInteger(value) && value > 0), `"${name}" must be an integer above 0`)
  return value ?? Infinity
}

/** Like `limit`, in bytes. */
export function sizeLimit (maxSize: number | undefined): number {
  check(maxSize === undefined || (Number.isSafeInteger(maxSize) && maxSize > 0),
    '"maxSize" must be an integer above 0 (bytes), or a function')
  return maxSize ?? Infinity
}

/** In ms. `Date` can represent a time this far in the future. */
export const MAX_PERIOD = 1e14

/** The longest delay of a timer of Node.js, in ms. */
const MAX_TIMER = 2 ** 31 - 1

/** A delay, in ms. */
export function milliseconds (name: string, value: number | undefined, otherwise: number): number {
  const number = wholeNumber(name, value, otherwise)
  check(number <= MAX_TIMER, `"${name}" must be at most ${MAX_TIMER} ms`)
  return number
}

export function flag (name: string, value: boolean | undefined, otherwise: boolean): boolean {
  check(value === undefined || typeof value === 'boolean', `"${name}" must be true or false`)
  return value ?? otherwise
}

export function isObject (value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** The name of a header (RFC 9110, 5.6.2). */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

export function isListOfTokens (value: unknown): boolean {
  return Array.isArray(value) && value.every((name) => typeof name === 'string' && token.test(name))
}

export function isListOfOrigins (value: unknown): boolean {
  return Array.isArray(value) && value.every((origin) => typeof origin === 'string' && origin !== '*')
}

export function isBaseUrl (value: unknown): boolean {
  return typeof value === 'string' && /^(https?:\/\/[^/?#\s]+)?(\/[^?#\s]*)?$/.test(value) &&
    value !== '' && !value.startsWith('//')
}
