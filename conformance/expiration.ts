import { setTimeout as sleep } from 'node:timers/promises'
import { header, list } from './expectation.ts'
import { partOf } from './transport.ts'
import type { Server } from './server.ts'
import type { Requirement } from './suite.ts'
import type { WireResponse } from './transport.ts'

const needs = ['expiration']

const DAY = '(Mon|Tue|Wed|Thu|Fri|Sat|Sun)'
const MONTH = '(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)'
const DATE = new RegExp(`^${DAY}, \\d\\d ${MONTH} \\d{4} \\d\\d:\\d\\d:\\d\\d GMT$`)

/** The longest wait for an upload to expire, in ms. */
const LONGEST_WAIT = 5000

/** Resolves when the upload of this response has expired; skips if that exceeds the longest wait. */
export async function expired (t: Server, response: WireResponse): Promise<void> {
  const wait = expiresAt(t, response) - Date.now()
  if (wait > LONGEST_WAIT) t.skip('uploads of this server expire later than the suite waits')
  await sleep(Math.max(wait, t.known.expiresWithin ?? 0) + 250)
}

/** When the upload of this response expires, in ms since the epoch. */
function expiresAt (t: Server, response: WireResponse): number {
  t.check(header(response, 'upload-expires') !== undefined, 'Upload-Expires', response)
  return Date.parse(header(response, 'upload-expires')!)
}

/** expiration: unfinished uploads expire. */
export const expiration: Requirement[] = [
  {
    id: 'EXP-01',
    title: 'expiration is advertised if and only if unfinished uploads expire',
    async run (t) {
      const advertised = t.offers('expiration')
      t.expect(await t.post({ length: 6 }), { status: [201], headers: { 'Upload-Expires': advertised ? /./ : null } })
    }
  },
  {
    id: 'EXP-02',
    title: 'the response to an append has Upload-Expires',
    needs,
    async run (t) {
      const upload = await t.create({ length: 6 })
      t.expect(await t.patch(upload, 0, 'abc'), { status: [204], headers: { 'Upload-Expires': DATE } })
    }
  },
  {
    id: 'EXP-02',
    title: 'the response to a refused append has Upload-Expires too',
    needs,
    choice: true,
    async run (t) {
      const upload = await t.create({ length: 6 })
      t.expect(await t.patch(upload, 3, 'abc'), { status: [409], headers: { 'Upload-Expires': DATE } })
    }
  },
  {
    id: 'EXP-03',
    title: 'the response to a creation has Upload-Expires',
    needs,
    async run (t) {
      t.expect(await t.post({ length: 6 }), { status: [201], headers: { 'Upload-Expires': /./ } })
    }
  },
  {
    id: 'EXP-04',
    title: 'Upload-Expires is an HTTP date in the future',
    needs,
    async run (t) {
      const response = await t.post({ length: 6 })
      t.expect(response, { status: [201], headers: { 'Upload-Expires': DATE } })
      t.check(expiresAt(t, response) + 1000 > Date.now(), 'a date in the future', response)
    }
  },
  {
    id: 'EXP-05',
    title: 'an expired upload is gone for HEAD, PATCH and DELETE',
    needs,
    async run (t) {
      const created = await t.post({ length: 6 })
      const upload = t.located(created)
      await expired(t, created)
      t.expect(await t.head(upload), { status: [410, 404], headers: { 'Upload-Offset': null } })
      t.expect(await t.patch(upload, 0, 'abc'), { status: [410, 404] })
      if (t.offers('termination')) {
        t.expect(await t.delete(upload), { status: [410, 404, 204] })
      }
    }
  },
  {
    id: 'EXP-06',
    title: 'a finished upload does not expire: HEAD, GET and an empty PATCH still work',
    needs,
    async run (t) {
      const created = await t.post({ length: 3 })
      const upload = t.located(created)
      t.expect(await t.patch(upload, 0, 'abc'), { status: [204] })
      await expired(t, created)
      await t.expectOffset(upload, 3)
      await t.expectContent(upload, 'abc')
      t.expect(await t.patch(upload, 3, ''), { status: [204] })
    }
  },
  {
    id: 'EXP-06',
    title: 'a finished upload does not expire: DELETE still works',
    needs: [...needs, 'termination'],
    async run (t) {
      const created = await t.post({ length: 3 })
      const upload = t.located(created)
      t.expect(await t.patch(upload, 0, 'abc'), { status: [204] })
      await expired(t, created)
      t.expect(await t.delete(upload), { status: [204] })
    }
  },
  {
    id: 'EXP-07',
    title: 'a sweep does not delete a finished upload',
    needs,
    async run (t) {
      const sweepsEvery = t.orSkip(t.known.sweepsEvery, 'the sweep interval of this server is unknown')
      const created = await t.post({ length: 3 })
      const upload = t.located(created)
      t.expect(await t.patch(upload, 0, 'abc'), { status: [204] })
      await expired(t, created)
      await sleep(2 * sweepsEvery)
      await t.expectOffset(upload, 3)
      await t.expectContent(upload, 'abc')
    }
  },
  {
    id: 'EXP-08',
    title: 'a sweep does not delete an upload during an append',
    needs,
    async run (t) {
      const sweepsEvery = t.orSkip(t.known.sweepsEvery, 'the sweep interval of this server is unknown')
      const created = await t.post({ length: 1000 })
      const upload = t.located(created)
      const exchange = await t.begin(upload, 0, partOf(1000, 'a'.repeat(400)))
      await expired(t, created)
      await sleep(2 * sweepsEvery)
      await exchange.write('b'.repeat(600))
      exchange.end()
      t.expectAppended(await t.answer(exchange), 1000)
      await t.expectOffset(upload, 1000)
      await t.expectContent(upload, 'a'.repeat(400) + 'b'.repeat(600))
    }
  },
  {
    id: 'EXP-09',
    title: 'an append extends the expiration',
    needs,
    choice: true,
    async run (t) {
      const created = await t.post({ length: 6 })
      // HTTP dates have a resolution of one second.
      await sleep(1100)
      const appended = await t.patch(t.located(created), 0, 'abc')
      t.check(expiresAt(t, appended) > expiresAt(t, created), `an Upload-Expires after ${expiresAt(t, created)}`, appended)
    }
  },
  {
    id: 'EXP-10',
    title: 'HEAD returns and exposes Upload-Expires',
    needs,
    async run (t) {
      const response = await t.head(await t.create({ length: 6 }), { headers: { Origin: 'https://example.com' } })
      t.expect(response, { status: [200, 204], headers: { 'Upload-Expires': DATE } })
      const exposed = list(response, 'access-control-expose-headers').map(name => name.toLowerCase())
      const there = exposed.length === 0 || exposed.includes('upload-expires')
      t.check(there, 'Upload-Expires among the exposed headers', response)
    }
  }
]
