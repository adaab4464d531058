import { header } from '../expectation.ts'
import { partOf } from '../transport.ts'
import { limitsOf } from './limits.ts'
import { announcements, continued, refused, Speaker, versions } from './requests.ts'
import type { Requirement } from '../suite.ts'
import type { Version } from './requests.ts'

const named = (version: Version): string => version === null ? 'no version' : `version ${version}`

/** A version below 6, or 7: a client without a version speaks the newest one. */
const isBefore = (version: Version, next: number): boolean => version !== null && version < next

function checksOf (version: Version): Requirement[] {
  return [
    {
      id: 'RUFH-23',
      title: `${named(version)}: an upload is created, resumed and completed`,
      async run (t) {
        const speaker = new Speaker(t, version)
        const creation = await speaker.post(false, 'abc')
        t.expect(creation, { status: [201], headers: { Location: /./, 'Upload-Offset': '3', ...speaker.state(false) } })
        const upload = t.located(creation)
        await speaker.expectState(upload, 3, false)
        const append = await speaker.append(upload, 3, false, 'def')
        const appended = isBefore(version, 7) ? 201 : 204
        t.expect(append, { status: [appended, '2xx'], headers: { 'Upload-Offset': '6', ...speaker.state(false) } })
        const last = await speaker.append(upload, 6, true, 'ghi')
        t.expect(last, { status: [201, '2xx'], headers: { 'Upload-Offset': '9', ...speaker.state(true) } })
        await t.expectContent(upload, 'abcdefghi')
        t.expect(await speaker.delete(upload), { status: [204, '2xx'] })
        await speaker.expectGone(upload)
      }
    },
    {
      id: 'RUFH-11',
      title: `${named(version)}: what a 104 contains`,
      choice: true,
      async run (t) {
        const speaker = new Speaker(t, version)
        const response = await continued(t, await speaker.begin(true, partOf(6, 'abc')), 'def')
        const heads = announcements(response)
        const [first, ...others] = heads
        if (version === null) return t.check(heads.length === 0, 'no 104', response)
        t.check(first !== undefined && header(first, 'location') !== undefined, '104 with Location', response)
        const repeats = others.every((head) => (header(head, 'location') !== undefined) === (version >= 8))
        t.check(repeats, `Location in ${version >= 8 ? 'each' : 'the first'} 104`, response)
        const progress = heads.some((head) => header(head, 'upload-offset') !== undefined)
        t.check(!progress || version >= 5, 'no progress', response)
        t.check((limitsOf(first!).size > 0) === (version >= 6), 'limits since version 6', response)
      }
    },
    {
      id: 'RUFH-05',
      title: `${named(version)}: the key of the lifetime`,
      choice: true,
      async run (t) {
        const speaker = new Speaker(t, version)
        const limits = limitsOf(await speaker.head(await speaker.create()))
        const key = isBefore(version, 6) ? undefined : isBefore(version, 7) ? 'expires' : 'max-age'
        const found = ['expires', 'max-age'].filter((name) => limits.has(name))
        if (!limits.has('max-size')) return
        t.check(found.join(' ') === (key ?? ''), key ?? 'no lifetime', [...limits.keys()].join(', '))
      }
    },
    {
      id: 'RUFH-51',
      title: `${named(version)}: the media type of an append`,
      choice: true,
      async run (t) {
        const speaker = new Speaker(t, version)
        const upload = await speaker.create()
        for (const [i, type] of ['text/plain', null].entries()) {
          const response = await speaker.append(upload, i, false, 'a', { 'Content-Type': type })
          if (isBefore(version, 6)) t.expect(response, { status: [201] })
          else refused(t, response, 415)
        }
      }
    },
    {
      id: 'RUFH-52',
      title: `${named(version)}: an append that does not say whether it is the last`,
      choice: true,
      async run (t) {
        const speaker = new Speaker(t, version)
        const upload = await speaker.create('abc')
        const response = await speaker.append(upload, 3, undefined, 'def')
        if (isBefore(version, 7)) t.expect(response, { status: [201], headers: speaker.state(true) })
        else refused(t, response, 400)
      }
    },
    {
      id: 'RUFH-40',
      title: `${named(version)}: fields of the state in HEAD and DELETE`,
      choice: true,
      async run (t) {
        const speaker = new Speaker(t, version)
        const upload = await speaker.create('abc')
        const complete = version === 3 ? { 'Upload-Incomplete': '?1' } : { 'Upload-Complete': '?0' }
        for (const headers of [{ 'Upload-Offset': '0' }, complete]) {
          const response = await speaker.head(upload, { headers })
          t.expect(response, { status: [isBefore(version, 7) ? 400 : 204] })
        }
      }
    }
  ]
}

/** A client without a version gets no 104, so it does not know the URL of a creation that is cut. */
function cutCreation (version: Version): Requirement {
  return {
    id: 'RUFH-23',
    title: `${named(version)}: a creation that is cut is resumed at the announced URL`,
    async run (t) {
      const speaker = new Speaker(t, version)
      const exchange = await speaker.begin(true, partOf(1000, 'a'.repeat(400)))
      await exchange.interim(3000)
      await t.arrival()
      exchange.abort('rst')
      const cut = await exchange.response(2000)
      const [head] = announcements(cut)
      if (head === undefined) return t.skip('the upload is not announced by a 104')
      const upload = t.located({ ...cut, headers: head.headers })
      await speaker.expectState(upload, 400, false)
      const last = await speaker.append(upload, 400, true, 'b'.repeat(600))
      t.expect(last, { status: [201, '2xx'], headers: speaker.state(true) })
    }
  }
}

/** What each interop version of the drafts needs. */
export const interopVersions: Requirement[] = versions.flatMap((version) => {
  return [...checksOf(version), ...version === null ? [] : [cutCreation(version)]]
})
