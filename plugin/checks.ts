/** What options must be: each function says by the option's name what is wrong with its value. */
import { errors } from './errors.ts'

/** @throws FST_TUS_INVALID_OPTION */
export function check (fine: boolean, complaint: string): asserts fine {
  if (!fine) throw new errors.InvalidOption(complaint)
}

/** What is left of the keys of an option is none that means anything. */
export function checkNone (name: string, unknown: object): void {
  for (const key of Object.keys(unknown)) check(false, `"${name}.${key}" is not known`)
}

/** A whole number, 0 or above. */
export function wholeNumber (name: string, value: number | undefined, otherwise: number): number {
  if (value === undefined) return otherwise
  check(Number.isSafeInteger(value) && value >= 0, `"${name}" must be a whole number, 0 or above`)
  return value
}

/** A whole number above 0; `Infinity` where there is none. */
export function limit (name: string, value: number | undefined): number {
  check(value === undefined || (Number.isSafeInteger(value) && value > 0), `"${name}" must be a whole number above 0`)
  return value ?? Infinity
}

/** Like `limit`, in bytes. */
export function sizeLimit (maxSize: number | undefined): number {
  check(maxSize === undefined || (Number.isSafeInteger(maxSize) && maxSize > 0),
    '"maxSize" must be a whole number of bytes above 0, or a function')
  return maxSize ?? Infinity
}

/** In ms. A date so far away can still be written. */
export const MAX_PERIOD = 1e14

/** The longest that a timer of Node.js can wait, in ms. */
const MAX_TIMER = 2 ** 31 - 1

/** A time that is waited for, in ms. */
export function milliseconds (name: string, value: number | undefined, otherwise: number): number {
  const number = wholeNumber(name, value, otherwise)
  check(number <= MAX_TIMER, `"${name}" must be at most ${MAX_TIMER} milliseconds`)
  return number
}

export function flag (name: string, value: boolean | undefined, otherwise: boolean): boolean {
  check(value === undefined || typeof value === 'boolean', `"${name}" must be true or false`)
  return value ?? otherwise
}

export function isObject (value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** What may be a header's name (RFC 9110, 5.6.2). */
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
