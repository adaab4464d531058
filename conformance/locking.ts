import type { Requirement } from './suite.ts'

/** The time limit for "quickly", in ms: far above what a displacement takes. */
const QUICKLY = 2000

/** One writer at a time; a later request displaces it. */
export const locking: Requirement[] = [
  {
    id: 'LOCK-01',
    title: 'one of two concurrent appends is stored, the other refused',
    async run (t) {
      const upload = await t.create({ length: 1000 })
      const bodies = ['a'.repeat(1000), 'b'.repeat(1000)]
      const responses = await Promise.all(bodies.map(body => t.patch(upload, 0, body)))
      const stored = responses.filter(({ status }) => status === 204)
      const refused = responses.find(response => response !== stored[0])!
      t.check(stored.length === 1, 'one 204', responses.map(({ status }) => status).join(' and '))
      t.check([409, 423, 'closed'].includes(refused.status), '409, 423 or a closed connection', refused)
      await t.expectOffset(upload, 1000)
      await t.expectContent(upload, bodies[responses.indexOf(stored[0]!)]!)
    }
  },
  {
    id: 'LOCK-02',
    title: 'HEAD displaces a stalled append quickly and returns the stored offset',
    async run (t) {
      const upload = await t.create({ length: 1000 })
      await t.stall(upload, 0, 1000, 'a'.repeat(400))
      const response = await t.head(upload, { timeout: QUICKLY })
      t.expect(response, { status: [200, 204], headers: { 'Upload-Offset': '400' } })
    }
  },
  {
    id: 'LOCK-02',
    title: 'PATCH displaces a stalled append quickly and resumes at the stored offset',
    async run (t) {
      const upload = await t.create({ length: 1000 })
      await t.stall(upload, 0, 1000, 'a'.repeat(400))
      const response = await t.patch(upload, 400, 'b'.repeat(600), { timeout: QUICKLY })
      t.expectAppended(response, 1000)
      await t.expectContent(upload, 'a'.repeat(400) + 'b'.repeat(600))
    }
  },
  {
    id: 'LOCK-02',
    title: 'DELETE displaces a stalled append quickly',
    needs: ['termination'],
    async run (t) {
      const upload = await t.create({ length: 1000 })
      await t.stall(upload, 0, 1000, 'a'.repeat(400))
      t.expect(await t.delete(upload, { timeout: QUICKLY }), { status: [204] })
      t.expect(await t.head(upload), { status: [404, 410] })
    }
  },
  {
    id: 'LOCK-03',
    title: 'the displaced append is refused and its connection closed',
    async run (t) {
      const upload = await t.create({ length: 1000 })
      const exchange = await t.stall(upload, 0, 1000, 'a'.repeat(400))
      await t.offset(upload)
      const response = await t.answer(exchange)
      t.expect(response, { status: [423, '4xx', '5xx', 'closed'], headers: t.http1 ? { Connection: 'close' } : {} })
    }
  },
  {
    id: 'LOCK-05',
    title: 'many HEAD requests during a stalled append are all answered',
    async run (t) {
      const upload = await t.create({ length: 1000 })
      await t.stall(upload, 0, 1000, 'a'.repeat(400))
      const responses = await Promise.all(Array.from({ length: 20 }, () => t.head(upload)))
      for (const response of responses) {
        t.expect(response, { status: [200, 204], strictly: { 'Upload-Offset': '400' } })
      }
    }
  },
  {
    id: 'LOCK-06',
    title: 'many HEAD and GET requests on a finished upload are all answered',
    async run (t) {
      const upload = await t.finished()
      const responses = await Promise.all(Array.from({ length: 20 }, () => [t.head(upload), t.get(upload)]).flat())
      const heads = responses.filter(({ sent }) => sent.startsWith('HEAD'))
      for (const response of heads) {
        t.expect(response, { status: [200, 204], headers: { 'Upload-Offset': '3' } })
      }
      const served = responses.filter(({ sent, status }) => sent.startsWith('GET') && status === 200)
      t.check([0, 20].includes(served.length), '20 responses with 200 to GET, or none', String(served.length))
    }
  }
]
