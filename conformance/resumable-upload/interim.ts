import { header } from '../expectation.ts'
import { partOf } from '../transport.ts'
import { announcements, continued, fields, Speaker } from './requests.ts'
import type { Server } from '../server.ts'
import type { Requirement } from '../suite.ts'
import type { Exchange, WireResponse } from '../transport.ts'

/** A creation whose second half is sent after the 104. */
async function slowly (t: Server, headers: Record<string, string> = {}): Promise<WireResponse> {
  const exchange = await new Speaker(t).begin(true, partOf(10, 'abcde'), headers)
  return await continued(t, exchange, 'fghij')
}

/** Sends a body in pieces, each after an interim response or some time. */
async function inPieces (t: Server, exchange: Exchange, pieces: string[]): Promise<WireResponse> {
  for (const piece of pieces) {
    await t.arrival()
    await exchange.write(piece)
  }
  exchange.end()
  return await t.answer(exchange)
}

function offsetsIn (response: WireResponse): number[] {
  return announcements(response).flatMap((head) => header(head, 'upload-offset') ?? []).map(Number)
}

function expectRising (t: Server, response: WireResponse, end: number): void {
  const offsets = offsetsIn(response)
  if (!t.strict && offsets.length === 0) t.skip('no progress is reported')
  const isRising = offsets.every((offset, i) => offset <= end && offset >= (offsets[i - 1] ?? 0))
  t.check(offsets.length > 0 && isRising, `rising offsets, at most ${end}`, response)
}

/** 104 (Upload Resumption Supported), section 5. */
export const interim: Requirement[] = [
  {
    id: 'RUFH-11',
    title: '104 is sent only to clients of a known version, and repeats the version',
    async run (t) {
      for (const version of ['3', '4', '5', '6', '7', '8', '9']) {
        const field = version === '3' ? { 'Upload-Incomplete': '?0' } : {}
        const response = await slowly(t, { ...field, 'Upload-Draft-Interop-Version': version })
        for (const head of announcements(response)) {
          t.check(header(head, 'upload-draft-interop-version') === version, `version ${version}`, response)
        }
      }
      for (const version of ['42', '2', '-3', 'x', '9.0', null]) {
        const exchange = await t.open('POST', t.endpoint, {
          body: partOf(6, 'abc'), headers: { 'Upload-Complete': '?1', 'Upload-Draft-Interop-Version': version }
        })
        const response = await inPieces(t, exchange, ['def'])
        t.expect(response, { status: [201, '2xx'] })
        t.check(announcements(response).length === 0, 'no 104', response)
      }
    }
  },
  {
    id: 'RUFH-11',
    title: 'a request of tus gets no 104, also with the fields of this protocol',
    async run (t) {
      const headers = { ...fields(6, true), 'Tus-Resumable': '1.0.0', 'Upload-Length': '6' }
      const exchange = await t.open('POST', t.endpoint, {
        body: partOf(6, 'abc'), headers: { ...headers, 'Content-Type': 'application/offset+octet-stream' }
      })
      const response = await inPieces(t, exchange, ['def'])
      t.check(announcements(response).length === 0, 'no 104', response)
    }
  },
  {
    id: 'RUFH-11',
    title: 'a client of HTTP/1.0 gets no 104',
    only: 'http/1.1',
    async run (t) {
      const exchange = await t.open('POST', t.endpoint, {
        body: partOf(6, 'abc'), headers: fields(9, true), version: '1.0'
      })
      const response = await inPieces(t, exchange, ['def'])
      t.expect(response, { status: [201, '2xx'], headers: { 'Upload-Complete': '?1' } })
      t.check(response.interim.length === 0, 'no interim response', response)
    }
  },
  {
    id: 'RUFH-21',
    title: 'an upload is announced by a 104 before its body has arrived',
    async run (t) {
      const response = await slowly(t)
      t.check(announcements(response).length > 0, '104', response)
    }
  },
  {
    id: 'RUFH-22',
    title: 'the first 104 of a creation has Location and the limits',
    async run (t) {
      const response = await slowly(t)
      const [head] = announcements(response)
      const isWhole = head !== undefined && header(head, 'location') !== undefined
      t.check(isWhole && header(head, 'upload-limit') !== undefined, '104 with Location and Upload-Limit', response)
    }
  },
  {
    id: 'RUFH-27',
    title: 'all responses to a creation have the same Location',
    async run (t) {
      const exchange = await new Speaker(t).begin(false, partOf(10, 'abcde'))
      const response = await continued(t, exchange, 'fghij')
      t.expect(response, { status: [201], headers: { Location: /./ } })
      const expected = header(response, 'location')
      const locations = announcements(response).flatMap((head) => header(head, 'location') ?? [])
      t.check(locations.every((location) => location === expected), `Location: ${expected}`, response)
    }
  },
  {
    id: 'RUFH-31',
    title: '104 reports the progress of a creation',
    async run (t) {
      const exchange = await new Speaker(t).begin(true, partOf(9, 'abc'))
      expectRising(t, await inPieces(t, exchange, ['def', 'ghi']), 9)
    }
  },
  {
    id: 'RUFH-63',
    title: '104 reports the progress of an append, without Location',
    async run (t) {
      const speaker = new Speaker(t)
      const upload = await speaker.create('ab')
      const exchange = await speaker.beginAppend(upload, 2, true, partOf(9, 'abc'))
      const response = await inPieces(t, exchange, ['def', 'ghi'])
      expectRising(t, response, 11)
      const locations = announcements(response).filter((head) => header(head, 'location') !== undefined)
      t.check(locations.length === 0, 'no Location in a 104', response)
    }
  }
]
