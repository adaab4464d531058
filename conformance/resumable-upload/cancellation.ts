import { createHash } from 'node:crypto'
import { refused, Speaker } from './requests.ts'
import type { Requirement } from '../suite.ts'

function digest (algorithm: string, text: string): string {
  return `${algorithm}=:${createHash(algorithm.replace('-', '')).update(text).digest('base64')}:`
}

/** Cancellation (4.5), and digests (RFC 9530), which earlier drafts have. */
export const cancellation: Requirement[] = [
  {
    id: 'RUFH-70',
    title: 'DELETE deactivates an upload',
    async run (t) {
      const speaker = new Speaker(t)
      const upload = await speaker.create('abc')
      t.expect(await speaker.delete(upload), { status: [204, '2xx'] })
      await speaker.expectGone(upload)
      t.expect(await speaker.append(upload, 3, false, 'd'), { status: [404, 410] })
    }
  },
  {
    id: 'RUFH-71',
    title: 'DELETE ends a running append',
    async run (t) {
      const speaker = new Speaker(t)
      const upload = await speaker.create()
      const exchange = await speaker.stall(upload, 0, 1000, 'a'.repeat(400))
      t.expect(await speaker.delete(upload), { status: [204, '2xx'] })
      const { status } = await t.answer(exchange)
      t.check(status === 'closed' || Number(status) >= 400, 'an error, or a closed connection', String(status))
      await speaker.expectGone(upload)
    }
  },
  {
    id: 'RUFH-72',
    title: 'DELETE of an unknown upload returns 404',
    async run (t) {
      refused(t, await new Speaker(t).delete(t.unknown), 404, 410)
    }
  },
  {
    id: 'RUFH-77',
    title: 'a wrong Content-Digest is refused, and nothing is appended',
    choice: true,
    async run (t) {
      const speaker = new Speaker(t)
      const upload = await speaker.create('abc')
      for (const algorithm of ['sha-256', 'sha-512']) {
        refused(t, await speaker.append(upload, 3, true, 'def', { 'Content-Digest': digest(algorithm, 'dEf') }), 400)
        await speaker.expectState(upload, 3, false)
      }
      for (const value of ['sha-256=1', 'sha-256=:AAAA:', '=', 'sha-256=?1, md5=:AAAA:']) {
        refused(t, await speaker.append(upload, 3, false, 'def', { 'Content-Digest': value }), 400)
      }
    }
  },
  {
    id: 'RUFH-77',
    title: 'a right Content-Digest, and an unknown algorithm, are accepted',
    choice: true,
    async run (t) {
      const speaker = new Speaker(t)
      const values = [digest('sha-256', 'def'), digest('sha-512', 'def'), 'crc32c=:AAAAAA==:']
      for (const value of values) {
        const upload = await speaker.create('abc')
        t.expect(await speaker.append(upload, 3, true, 'def', { 'Content-Digest': value }), { status: [201] })
      }
    }
  },
  {
    id: 'RUFH-83',
    title: 'the URL of a deleted upload is not used again',
    async run (t) {
      const speaker = new Speaker(t)
      const upload = await speaker.create('abc')
      t.expect(await speaker.delete(upload), { status: [204, '2xx'] })
      t.check(await speaker.create('abc') !== upload, 'another URL', upload)
    }
  }
]
