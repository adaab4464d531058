import { header } from '../expectation.ts'
import { chunked, partOf, unended } from '../transport.ts'
import { announcements, fields, Speaker } from './requests.ts'
import type { Server } from '../server.ts'
import type { Requirement } from '../suite.ts'
import type { Body } from '../transport.ts'

const LENGTH = 100_000
const SENT = 40_000

/** Starts a creation, and cuts it once the upload is announced and the bytes have arrived; resolves with its URL. */
async function cut (t: Server, completes: boolean, body: Body): Promise<string> {
  const exchange = await new Speaker(t).begin(completes, body)
  await exchange.interim(3000)
  await t.arrival()
  exchange.abort('rst')
  const response = await exchange.response(2000)
  const [head] = announcements(response)
  if (head === undefined) t.skip('the upload is not announced by a 104')
  return t.located({ ...response, headers: head.headers })
}

/** Offset retrieval (4.3), and what remains of interrupted bodies. */
export const retrieval: Requirement[] = [
  {
    id: 'RUFH-28',
    title: 'the length of a creation with ?1 is that of its content, also if it is cut',
    async run (t) {
      const upload = await cut(t, true, partOf(100, 'a'.repeat(40)))
      const response = await new Speaker(t).expectState(upload, 40, false)
      t.expect(response, { status: [204, 200], headers: { 'Upload-Length': '100' } })
    }
  },
  {
    id: 'RUFH-30',
    title: 'an interrupted creation keeps what came, and is not complete',
    async run (t) {
      for (const completes of [true, false]) {
        const upload = await cut(t, completes, partOf(LENGTH, 'a'.repeat(SENT)))
        const speaker = new Speaker(t)
        await speaker.expectState(upload, SENT, false)
        const rest = 'b'.repeat(LENGTH - SENT)
        t.expect(await speaker.append(upload, SENT, true, rest), {
          status: [201, '2xx'], headers: { 'Upload-Complete': '?1' }
        })
        await t.expectContent(upload, 'a'.repeat(SENT) + rest)
      }
    }
  },
  {
    id: 'RUFH-30',
    title: 'an interrupted creation of unknown length is not complete',
    async run (t) {
      const upload = await cut(t, true, unended(['abc']))
      await new Speaker(t).expectState(upload, 3, false)
    }
  },
  {
    id: 'RUFH-40',
    title: 'HEAD returns the offset: after none, some and all bytes',
    async run (t) {
      const speaker = new Speaker(t)
      const upload = await speaker.create()
      await speaker.expectState(upload, 0, false)
      t.expect(await speaker.append(upload, 0, false, 'abc'), { status: [204, '2xx'] })
      await speaker.expectState(upload, 3, false)
      t.expect(await speaker.append(upload, 3, true, 'def'), { status: [201, '2xx'] })
      await speaker.expectState(upload, 6, true)
    }
  },
  {
    id: 'RUFH-41',
    title: 'an upload that has all its bytes is not complete before ?1',
    async run (t) {
      const speaker = new Speaker(t)
      const upload = await speaker.create('abc', { 'Upload-Length': '3' })
      await speaker.expectState(upload, 3, false)
      t.expect(await speaker.append(upload, 3, true), { status: [201, '2xx'] })
      await speaker.expectState(upload, 3, true)
    }
  },
  {
    id: 'RUFH-42',
    title: 'HEAD returns Upload-Length once it is known',
    async run (t) {
      const speaker = new Speaker(t)
      const upload = await speaker.create(chunked(['abc']))
      t.expect(await speaker.head(upload), { status: [204, 200], headers: { 'Upload-Length': null } })
      t.expect(await speaker.append(upload, 3, true, chunked(['de'])), { status: [201, '2xx'] })
      t.expect(await speaker.head(upload), { status: [204, 200], headers: { 'Upload-Length': '5' } })
    }
  },
  {
    id: 'RUFH-43',
    title: 'HEAD returns the limits',
    async run (t) {
      const speaker = new Speaker(t)
      const response = await speaker.head(await speaker.create())
      t.expect(response, { status: [204, 200], headers: { 'Upload-Limit': /./ } })
    }
  },
  {
    id: 'RUFH-44',
    title: 'HEAD is not cached, also if it fails',
    async run (t) {
      const speaker = new Speaker(t)
      const noStore = { 'Cache-Control': /\bno-store\b/ }
      t.expect(await speaker.head(await speaker.create()), { status: [204, 200], headers: noStore })
      t.expect(await speaker.head(t.unknown), { status: [404, 410], headers: noStore })
    }
  },
  {
    id: 'RUFH-46',
    title: 'GET of an upload that is not complete returns its state',
    choice: true,
    async run (t) {
      const speaker = new Speaker(t)
      const upload = await speaker.create('abc')
      for (const headers of [fields(9), {}]) {
        const response = await t.get(upload, { headers })
        t.expect(response, { status: [204], headers: { 'Upload-Offset': '3', 'Upload-Complete': '?0' } })
      }
    }
  },
  {
    id: 'RUFH-46',
    title: 'GET of a complete upload is the download, with the state',
    choice: true,
    async run (t) {
      const speaker = new Speaker(t)
      const upload = await speaker.create('abc')
      t.expect(await speaker.append(upload, 3, true, 'def'), { status: [201] })
      for (const headers of [fields(9), {}]) {
        const response = await t.get(upload, { headers })
        const state = { 'Upload-Offset': '6', 'Upload-Complete': '?1' }
        t.expect(response, { status: [200], headers: state, body: Buffer.from('abcdef') })
      }
    }
  },
  {
    id: 'RUFH-47',
    title: 'HEAD ends a stalled append, and the next one is accepted at its offset',
    async run (t) {
      const speaker = new Speaker(t)
      const upload = await speaker.create()
      await speaker.stall(upload, 0, 1000, 'a'.repeat(400))
      const response = await speaker.head(upload, { timeout: 2000 })
      const offset = Number(header(response, 'upload-offset'))
      t.check(offset <= 400, 'an Upload-Offset of 400 at most', response)
      const rest = 'b'.repeat(1000 - offset)
      t.expect(await speaker.append(upload, offset, true, rest), {
        status: [201, '2xx'], headers: { 'Upload-Complete': '?1' }
      })
    }
  },
  {
    id: 'RUFH-49',
    title: 'an unknown upload returns 404 or 410, without an offset',
    async run (t) {
      const headers = { 'Upload-Offset': null }
      t.expect(await new Speaker(t).head(t.unknown), { status: [404, 410], headers })
      t.expect(await new Speaker(t).append(t.unknown, 0, false, 'a'), { status: [404, 410], headers })
    }
  }
]
