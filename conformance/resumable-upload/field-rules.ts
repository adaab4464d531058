import { header } from '../expectation.ts'
import { announcements, refused, Speaker } from './requests.ts'
import type { Requirement } from '../suite.ts'

/** Values that are no Integer. */
const noIntegers = ['abc', '-1', '1.0', '"5"', '00000000000000001', '?1', '', '5 5', '0x5', ':NQ==:', '@5']

/** Values that are no Boolean. */
const noBooleans = ['true', '1', '?2', '?', '"?1"', '?1?1', '?1, ?1', '']

/** Fields are Structured Fields (RFC 9651); a field of another type counts as absent (4.1). */
export const fieldRules: Requirement[] = [
  {
    id: 'RUFH-01',
    title: 'Upload-Offset that is no Integer counts as absent',
    async run (t) {
      const speaker = new Speaker(t)
      const upload = await speaker.create('abcde')
      for (const value of noIntegers) {
        refused(t, await speaker.append(upload, 5, false, 'f', { 'Upload-Offset': value }), 400)
      }
      await speaker.expectState(upload, 5, false)
    }
  },
  {
    id: 'RUFH-02',
    title: 'Upload-Complete that is no Boolean counts as absent: nothing is created or announced',
    async run (t) {
      for (const value of noBooleans) {
        const response = await new Speaker(t).post(undefined, 'abc', { 'Upload-Complete': value })
        t.expect(response, { status: [400, '4xx'], headers: { Location: null } })
        t.check(announcements(response).length === 0, 'no 104', response)
      }
    }
  },
  {
    id: 'RUFH-02',
    title: 'Upload-Complete that is no Boolean counts as absent in PATCH',
    async run (t) {
      const speaker = new Speaker(t)
      const upload = await speaker.create('abc')
      for (const value of noBooleans) {
        refused(t, await speaker.append(upload, 3, undefined, 'd', { 'Upload-Complete': value }), 400)
      }
      await speaker.expectState(upload, 3, false)
    }
  },
  {
    id: 'RUFH-03',
    title: 'Upload-Length that is no Integer counts as absent',
    async run (t) {
      const speaker = new Speaker(t)
      for (const value of noIntegers) {
        const upload = await speaker.create('abc', { 'Upload-Length': value })
        const response = await speaker.expectState(upload, 3, false)
        t.check(header(response, 'upload-length') === undefined, 'no Upload-Length', response)
      }
    }
  },
  {
    id: 'RUFH-04',
    title: 'parameters of Items do not matter',
    async run (t) {
      const speaker = new Speaker(t)
      const upload = await speaker.create('abcde', { 'Upload-Length': '8;b="x"', 'Upload-Complete': '?0;c' })
      const headers = { 'Upload-Offset': '5;a=1', 'Upload-Complete': '?1;d' }
      t.expect(await speaker.append(upload, 5, true, 'fgh', headers), { status: [201, '2xx'] })
      await speaker.expectState(upload, 8, true)
    }
  },
  {
    id: 'RUFH-04',
    title: 'two lines, and 16 digits, are no Item',
    async run (t) {
      const speaker = new Speaker(t)
      const upload = await speaker.create('abcde')
      for (const value of [['5', '5'], '0000000000000005']) {
        refused(t, await speaker.append(upload, 5, false, 'f', { 'Upload-Offset': value }), 400)
      }
      await speaker.expectState(upload, 5, false)
    }
  }
]
