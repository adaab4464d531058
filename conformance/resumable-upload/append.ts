import { header } from '../expectation.ts'
import { chunked, partOf } from '../transport.ts'
import { expectProblem, PARTIAL_UPLOAD, problemIn, refused, Speaker } from './requests.ts'
import type { Requirement } from '../suite.ts'

/** Append (4.4). */
export const append: Requirement[] = [
  {
    id: 'RUFH-50',
    title: 'PATCH with application/partial-upload appends, also with parameters',
    async run (t) {
      const speaker = new Speaker(t)
      const upload = await speaker.create('ab')
      for (const [i, type] of [PARTIAL_UPLOAD, `${PARTIAL_UPLOAD}; charset=x`, 'Application/Partial-Upload'].entries()) {
        const response = await speaker.append(upload, 2 + i, false, 'c', { 'Content-Type': type })
        t.expect(response, { status: [204, '2xx'], headers: { 'Upload-Complete': '?0' } })
      }
      await speaker.expectState(upload, 5, false)
    }
  },
  {
    id: 'RUFH-51',
    title: 'PATCH with another media type, or none, is refused',
    async run (t) {
      const speaker = new Speaker(t)
      const upload = await speaker.create('ab')
      for (const type of ['text/plain', 'application/offset+octet-stream', null]) {
        refused(t, await speaker.append(upload, 2, false, 'c', { 'Content-Type': type }), 415, 400)
      }
      await speaker.expectState(upload, 2, false)
    }
  },
  {
    id: 'RUFH-52',
    title: 'PATCH without Upload-Offset, or without Upload-Complete, is refused',
    async run (t) {
      const speaker = new Speaker(t)
      const upload = await speaker.create('ab')
      refused(t, await speaker.append(upload, 2, false, 'c', { 'Upload-Offset': null }), 400)
      refused(t, await speaker.append(upload, 2, undefined, 'c'), 400)
      await speaker.expectState(upload, 2, false)
    }
  },
  {
    id: 'RUFH-53',
    title: 'PATCH at a wrong offset is refused, with the right one',
    async run (t) {
      const speaker = new Speaker(t)
      const upload = await speaker.create('a'.repeat(32))
      for (const offset of [0, 99]) {
        const response = await speaker.append(upload, offset, false, 'b')
        t.expect(response, { status: [409], headers: { 'Upload-Complete': '?0', 'Upload-Offset': '32' } })
        expectProblem(t, response, 'mismatching-upload-offset')
      }
      t.expect(await speaker.append(upload, 32, false, 'b'), { status: [204, '2xx'] })
    }
  },
  {
    id: 'RUFH-54',
    title: 'the problem of a wrong offset has both offsets',
    async run (t) {
      const speaker = new Speaker(t)
      const response = await speaker.append(await speaker.create('abc'), 7, false, 'b')
      const { 'expected-offset': expected, 'provided-offset': provided } = problemIn(response)
      t.check(expected === 3 && provided === 7, 'expected-offset 3, provided-offset 7', response)
    }
  },
  {
    id: 'RUFH-55',
    title: 'the last PATCH gets the response that the creation would have got',
    async run (t) {
      const speaker = new Speaker(t)
      const whole = await speaker.post(true, 'abcdef')
      const upload = await speaker.create('abc')
      const last = await speaker.append(upload, 3, true, 'def')
      t.expect(last, { status: [201, '2xx'], headers: { 'Upload-Complete': '?1' } })
      const isSame = whole.status === last.status && whole.body.equals(last.body)
      t.check(isSame, `${whole.status}, and the same body`, last)
    }
  },
  {
    id: 'RUFH-57',
    title: 'PATCH with ?0 and all its content returns 2xx with ?0',
    async run (t) {
      const speaker = new Speaker(t)
      const response = await speaker.append(await speaker.create(), 0, false, chunked(['ab', 'c']))
      t.expect(response, { status: [204, '2xx'], headers: { 'Upload-Complete': '?0' } })
    }
  },
  {
    id: 'RUFH-58',
    title: 'an empty PATCH completes with ?1, and changes nothing with ?0',
    async run (t) {
      const speaker = new Speaker(t)
      const upload = await speaker.create('abc')
      t.expect(await speaker.append(upload, 3, false), { status: [204, '2xx'], headers: { 'Upload-Complete': '?0' } })
      await speaker.expectState(upload, 3, false)
      t.expect(await speaker.append(upload, 3, true), { status: [201, '2xx'], headers: { 'Upload-Complete': '?1' } })
      await speaker.expectState(upload, 3, true)
    }
  },
  {
    id: 'RUFH-62',
    title: 'an interrupted append keeps what came, and is not complete',
    async run (t) {
      const speaker = new Speaker(t)
      const upload = await speaker.create('ab')
      const exchange = await speaker.beginAppend(upload, 2, true, partOf(1000, 'c'.repeat(400)))
      await t.arrival()
      exchange.abort('rst')
      await speaker.expectState(upload, 402, false)
    }
  },
  {
    id: 'RUFH-65',
    title: 'an append at the end of a complete upload gets the final response again',
    choice: true,
    async run (t) {
      const speaker = new Speaker(t)
      const upload = await speaker.create('abc')
      const first = await speaker.append(upload, 3, true, 'def')
      for (let i = 0; i < 3; i++) {
        const again = await speaker.append(upload, 6, true)
        t.expect(again, { status: [201], headers: { 'Upload-Complete': '?1', 'Upload-Offset': '6' } })
        t.check(header(again, 'location') === header(first, 'location'), 'the same Location', again)
      }
    }
  },
  {
    id: 'RUFH-66',
    title: 'bytes after the end of a complete upload, and a wrong offset, are refused and change nothing',
    async run (t) {
      const speaker = new Speaker(t)
      const upload = await speaker.create('abc')
      t.expect(await speaker.append(upload, 3, true), { status: [201, '2xx'] })
      refused(t, await speaker.append(upload, 3, true, 'd'), 400, 409)
      refused(t, await speaker.append(upload, 3, false, chunked(['d'])), 400, 409)
      refused(t, await speaker.append(upload, 1, true, 'd'), 409)
      await speaker.expectState(upload, 3, true)
      await t.expectContent(upload, 'abc')
    }
  },
  {
    id: 'RUFH-67',
    title: 'the fields of the representation are ignored in PATCH',
    choice: true,
    async run (t) {
      const speaker = new Speaker(t)
      const upload = await speaker.create('abc', { 'Content-Disposition': 'inline; filename="a.bin"' })
      const headers = { 'Content-Disposition': 'inline; filename="b.bin"', 'Content-Encoding': 'gzip' }
      t.expect(await speaker.append(upload, 3, true, 'def', headers), { status: [201] })
      t.expect(await t.get(upload), { status: [200], headers: { 'Content-Disposition': /"a\.bin"/ } })
    }
  }
]
