import { chunked, unended } from '../transport.ts'
import { expectProblem, refused, Speaker } from './requests.ts'
import type { Server } from '../server.ts'
import type { Requirement } from '../suite.ts'
import type { WireResponse } from '../transport.ts'

function expectInconsistent (t: Server, response: WireResponse): void {
  refused(t, response, 400)
  expectProblem(t, response, 'inconsistent-upload-length')
}

/** The length of an upload (4.1.3). */
export const length: Requirement[] = [
  {
    id: 'RUFH-29',
    title: 'two lengths in one creation must agree',
    async run (t) {
      const speaker = new Speaker(t)
      expectInconsistent(t, await speaker.post(true, 'abcde', { 'Upload-Length': '100' }))
      expectInconsistent(t, await speaker.post(true, 'abcde', { 'Upload-Length': '0' }))
      expectInconsistent(t, await speaker.post(false, 'abcde', { 'Upload-Length': '4' }))
    }
  },
  {
    id: 'RUFH-59',
    title: 'reaching the length does not complete an upload, ?1 does',
    async run (t) {
      const speaker = new Speaker(t)
      const upload = await speaker.create('abc', { 'Upload-Length': '6' })
      const all = await speaker.append(upload, 3, false, 'def')
      t.expect(all, { status: [204, '2xx'], headers: { 'Upload-Complete': '?0' } })
      const last = await speaker.append(upload, 6, true)
      t.expect(last, { status: [201, '2xx'], headers: { 'Upload-Complete': '?1' } })
    }
  },
  {
    id: 'RUFH-60',
    title: 'another length later is refused',
    async run (t) {
      const speaker = new Speaker(t)
      const upload = await speaker.create('abc', { 'Upload-Length': '100' })
      expectInconsistent(t, await speaker.append(upload, 3, false, 'd', { 'Upload-Length': '50' }))
      t.expect(await speaker.head(upload), { status: [204, 200], headers: { 'Upload-Length': '100' } })
    }
  },
  {
    id: 'RUFH-60',
    title: 'a length below the offset is refused',
    async run (t) {
      const speaker = new Speaker(t)
      const upload = await speaker.create('abc')
      expectInconsistent(t, await speaker.append(upload, 3, false, 'd', { 'Upload-Length': '2' }))
      await speaker.expectState(upload, 3, false)
    }
  },
  {
    id: 'RUFH-60',
    title: 'an end before the length is refused, and does not complete the upload',
    async run (t) {
      const speaker = new Speaker(t)
      const upload = await speaker.create('abc', { 'Upload-Length': '9' })
      for (const body of ['', 'def', chunked(['def'])]) {
        expectInconsistent(t, await speaker.append(upload, 3, true, body))
      }
      t.expect(await speaker.head(upload), { status: [204, 200], headers: { 'Upload-Complete': '?0' } })
    }
  },
  {
    id: 'RUFH-61',
    title: 'an append beyond the length makes the upload invalid',
    async run (t) {
      const speaker = new Speaker(t)
      for (const body of ['b'.repeat(100), unended(['b'.repeat(100)])]) {
        const upload = await speaker.create('a'.repeat(50), { 'Upload-Length': '100' })
        const exchange = await speaker.beginAppend(upload, 50, false, body)
        refused(t, await t.answer(exchange), 400)
        await speaker.expectGone(upload)
      }
    }
  }
]
