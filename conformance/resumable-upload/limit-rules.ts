import { parseDictionary } from 'structured-headers'
import { header } from '../expectation.ts'
import { partOf, unended } from '../transport.ts'
import { limitsOf } from './limits.ts'
import { fields, refused, Speaker } from './requests.ts'
import type { Server } from '../server.ts'
import type { Requirement } from '../suite.ts'
import type { WireResponse } from '../transport.ts'

/** The largest `max-size` that the suite exceeds, in bytes. */
const BOUND = 8 * 1024 * 1024

const known = ['max-size', 'min-size', 'max-append-size', 'min-append-size', 'max-age']

function maxSizeOf (t: Server): number {
  return t.orSkip(t.features.maxSize, 'no max-size in Upload-Limit')
}

/** `Upload-Limit` is a Dictionary, in which known keys have Integers. */
function expectLimits (t: Server, response: WireResponse): void {
  const value = header(response, 'upload-limit') ?? ''
  const entries = [...parseDictionary(value)].filter(([name]) => known.includes(name))
  const areIntegers = entries.every(([, [value]]) => Number.isSafeInteger(value))
  t.check(entries.length > 0 && areIntegers, 'Upload-Limit with Integers', response)
}

/** Limits, and OPTIONS (4.1.4). */
export const limits: Requirement[] = [
  {
    id: 'RUFH-05',
    title: 'Upload-Limit is a Dictionary of Integers',
    async run (t) {
      const speaker = new Speaker(t)
      const creation = await speaker.post(false, 'abc')
      expectLimits(t, creation)
      expectLimits(t, await speaker.head(t.located(creation)))
      expectLimits(t, t.features.options)
    }
  },
  {
    id: 'RUFH-06',
    title: 'limits do not become stricter, and max-age falls no faster than time passes',
    async run (t) {
      const speaker = new Speaker(t)
      const creation = await speaker.post(false, 'abc')
      const upload = t.located(creation)
      const start = performance.now()
      const [before, after] = [limitsOf(creation), limitsOf(await speaker.head(upload))]
      const passed = Math.ceil((performance.now() - start) / 1000) + 1
      for (const [name, value] of before) {
        const now = after.get(name) ?? Infinity
        const isKept = name.startsWith('min') ? now <= value : now >= value - (name === 'max-age' ? passed : 0)
        t.check(isKept, `${name} as before`, `${name}=${now} after ${name}=${value}`)
      }
    }
  },
  {
    id: 'RUFH-07',
    title: 'OPTIONS without Upload-Complete returns Upload-Limit, whatever the version',
    async run (t) {
      for (const version of [null, 9] as const) {
        const response = await t.send('OPTIONS', t.endpoint, { headers: fields(version) })
        t.expect(response, { status: [204, '2xx'], headers: { 'Upload-Limit': /./ } })
      }
    }
  },
  {
    id: 'RUFH-08',
    title: 'the limits of OPTIONS are not stricter than those of an upload',
    async run (t) {
      const maxSize = maxSizeOf(t)
      const response = await new Speaker(t).post(false)
      t.located(response)
      t.check((limitsOf(response).get('max-size') ?? Infinity) >= maxSize, `max-size of ${maxSize} or more`, response)
    }
  },
  {
    id: 'RUFH-09',
    title: 'OPTIONS with Upload-Complete creates nothing',
    async run (t) {
      const response = await t.send('OPTIONS', t.endpoint, { headers: fields(9, true) })
      t.expect(response, { status: [204, '2xx'], headers: { Location: null } })
    }
  },
  {
    id: 'RUFH-10',
    title: 'a refusal for a limit has Upload-Limit',
    async run (t) {
      const tooLong = String(maxSizeOf(t) + 1)
      const speaker = new Speaker(t)
      const creation = await speaker.post(false, '', { 'Upload-Length': tooLong })
      refused(t, creation, 413)
      t.expect(creation, { status: [413], headers: { 'Upload-Limit': /\bmax-size=/ } })
      const append = await speaker.append(await speaker.create(), 0, false, 'a', { 'Upload-Length': tooLong })
      t.expect(append, { status: [413], headers: { 'Upload-Limit': /\bmax-size=/ } })
    }
  },
  {
    id: 'RUFH-36',
    title: 'a creation beyond max-size is refused before its body is sent',
    async run (t) {
      const maxSize = maxSizeOf(t)
      const headers = { Expect: '100-continue' }
      const response = await t.answer(await new Speaker(t).begin(true, partOf(maxSize + 1), headers))
      t.expect(response, { status: [413], headers: { 'Upload-Complete': '?0', Location: null, 'Upload-Limit': /./ } })
      t.check(response.interim.length === 0, 'neither 100 nor 104', response)
    }
  },
  {
    id: 'RUFH-37',
    title: 'a body of unknown length that exceeds max-size is refused, and its upload deactivated',
    async run (t) {
      const maxSize = maxSizeOf(t)
      if (maxSize > BOUND) t.skip(`max-size is above ${BOUND}`)
      const speaker = new Speaker(t)
      const upload = await speaker.create()
      const exchange = await speaker.beginAppend(upload, 0, true, unended([Buffer.alloc(maxSize), 'a']))
      refused(t, await t.answer(exchange), 413)
      await speaker.expectGone(upload)
    }
  }
]
