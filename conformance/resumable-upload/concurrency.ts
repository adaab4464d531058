import { Speaker } from './requests.ts'
import type { Requirement } from '../suite.ts'

/** Far above what it takes to end a stalled request, in ms. */
const QUICKLY = 2000

/** Concurrent requests (4.6). */
export const concurrency: Requirement[] = [
  {
    id: 'RUFH-73',
    title: 'of two appends at one offset, at most one is stored, without bytes of the other',
    async run (t) {
      const speaker = new Speaker(t)
      const upload = await speaker.create()
      const bodies = ['a'.repeat(1000), 'b'.repeat(1000)]
      const responses = await Promise.all(bodies.map((body) => speaker.append(upload, 0, false, body)))
      const stored = responses.filter(({ status }) => Number(status) < 300)
      t.check(stored.length === 1, 'one success', responses.map(({ status }) => status).join(' and '))
      t.expect(await speaker.append(upload, 1000, true), { status: [201, '2xx'] })
      await t.expectContent(upload, bodies[responses.indexOf(stored[0]!)]!)
    }
  },
  {
    id: 'RUFH-73',
    title: 'after an append and a DELETE at once, the upload is gone',
    async run (t) {
      const speaker = new Speaker(t)
      const upload = await speaker.create()
      const [, deletion] = await Promise.all([
        speaker.append(upload, 0, false, 'a'.repeat(1000)), speaker.delete(upload)
      ])
      t.expect(deletion, { status: [204, '2xx'] })
      await speaker.expectGone(upload)
    }
  },
  {
    id: 'RUFH-74',
    title: 'a later append ends a stalled one',
    async run (t) {
      const speaker = new Speaker(t)
      const upload = await speaker.create()
      await speaker.stall(upload, 0, 1000, 'a'.repeat(400))
      const exchange = await speaker.beginAppend(upload, 400, true, 'b'.repeat(600))
      t.expect(await t.answer(exchange, QUICKLY), { status: [201, '2xx'] })
      await t.expectContent(upload, 'a'.repeat(400) + 'b'.repeat(600))
    }
  }
]
