import fc from 'fast-check'
import t from 'tap'
import { completenessOf, dialectOf, knownVersionOf } from '../../plugin/protocols/resumable-upload/dialects.ts'
import { contentDigest } from '../../plugin/protocols/resumable-upload/digest.ts'
import {
  formatIntegers, parseBoolean, parseInteger
} from '../../plugin/protocols/resumable-upload/fields.ts'
import { metadataOf } from '../../plugin/protocols/resumable-upload/metadata.ts'
import type { Context } from '../../plugin/uploads/context.ts'

const context = { store: { capabilities: new Set(['checksum']) } } as unknown as Context

/** Texts that are nearly Structured Fields, and any other. */
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.array(fc.constantFrom(
    '?', '0', '1',
    '9', '-', '.', ';', '=', ':', ',', ' ', '"', '\\', '(', ')', '*', 'a', '@', '%', 'sha-256', 'AAAA', '\t'
  ), { maxLength: 24 }).map((parts) => parts.join(''))
)

t.test('any value of a field is an Integer, a Boolean or absent', async (t) => {
  fc.assert(fc.property(text, (value) => {
    const integer = parseInteger(value)
    if (integer !== undefined) {
      const [, digits] = /^ *(\d{1,15})(?:[; ]|$)/.exec(value) as RegExpExecArray
      t.equal(integer, Number(digits), JSON.stringify(value))
    }
    const boolean = parseBoolean(value)
    if (boolean !== undefined && !new RegExp(`^ *\\?${boolean ? 1 : 0}(?:[; ]|$)`).test(value)) t.fail(value)
  }), { numRuns: 20_000 })
})

t.test('any headers of a request have a dialect, and metadata or an error with a status', async (t) => {
  fc.assert(fc.property(text, text, (one, other) => {
    const headers = {
      'upload-draft-interop-version': one,
      'upload-complete': other,
      'upload-incomplete': one,
      'content-disposition': `inline; filename=${other}`,
      'content-digest': `sha-256=${one}`,
      'upload-metadata': other
    }
    if (knownVersionOf(headers) === undefined && dialectOf(headers).needsMediaType !== true) t.fail(one)
    completenessOf(headers)
    for (const parse of [() => contentDigest(context, headers), () => metadataOf(headers)]) {
      try {
        parse()
      } catch (error) {
        if ((error as { code?: string }).code !== 'FST_TUS_INVALID_HEADER') throw error
      }
    }
  }), { numRuns: 5000 })
})

t.test('limits are formatted as Integers, however large', async (t) => {
  t.equal(formatIntegers({ 'max-size': Number.MAX_SAFE_INTEGER, 'max-age': 0 }), 'max-size=999999999999999, max-age=0')
})

t.test('long fields take linear time', async (t) => {
  const many = 1_000_000
  for (const part of [' ', '?', '1', ';a', ';a=1', ',', '"', '(']) {
    t.type(parseInteger(`1${part.repeat(many)}`) ?? 0, 'number')
    t.type(parseBoolean(`?1${part.repeat(many)}`) ?? false, 'boolean')
  }
})
