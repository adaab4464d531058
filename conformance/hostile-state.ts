import { setTimeout as sleep } from 'node:timers/promises'
import { partOf } from './transport.ts'
import { expired } from './expiration.ts'
import type { Requirement } from './suite.ts'

/** State and concurrency. */
export const hostileState: Requirement[] = [
  {
    id: 'EDGE-47',
    title: 'one of many concurrent appends is stored',
    async run (t) {
      const upload = await t.create({ length: 1000 })
      const bodies = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map(letter => letter.repeat(1000))
      const responses = await Promise.all(bodies.map(body => t.patch(upload, 0, body)))
      const stored = responses.flatMap(({ status }, i) => status === 204 ? [i] : [])
      t.check(stored.length === 1, 'one 204', responses.map(({ status }) => status).join(', '))
      for (const response of responses) {
        t.check([204, 409, 423, 'closed'].includes(response.status), '204, 409, 423 or a closed connection', response)
      }
      await t.expectOffset(upload, 1000)
      await t.expectContent(upload, bodies[stored[0]!]!)
    }
  },
  {
    id: 'EDGE-48',
    title: 'a repeated append is a conflict and not stored twice',
    async run (t) {
      const upload = await t.create({ length: 6 })
      t.expect(await t.patch(upload, 0, 'abc'), { status: [204] })
      t.expect(await t.patch(upload, 0, 'abc'), { status: [409], strictly: { 'Upload-Offset': '3' } })
      await t.expectOffset(upload, 3)
      t.expect(await t.patch(upload, 3, 'def'), { status: [204] })
      await t.expectContent(upload, 'abcdef')
    }
  },
  {
    id: 'EDGE-49',
    title: 'the offsets stay consistent if stalled appends are displaced repeatedly',
    async run (t) {
      const upload = await t.create({ length: 400 })
      for (const offset of [0, 100, 200, 300]) {
        await t.expectOffset(upload, offset)
        await t.stall(upload, offset, 400 - offset, String(offset / 100).repeat(100))
      }
      await t.expectOffset(upload, 400)
      await t.expectContent(upload, ['0', '1', '2', '3'].map(digit => digit.repeat(100)).join(''))
    }
  },
  {
    id: 'EDGE-50',
    title: 'late bytes do not restore a deleted upload',
    needs: ['termination'],
    async run (t) {
      const upload = await t.create({ length: 1000 })
      const exchange = await t.stall(upload, 0, 1000, 'a'.repeat(400))
      const [deleted] = await Promise.all([t.delete(upload), exchange.write('b'.repeat(100)), sleep(10)])
      t.expect(deleted, { status: [204] })
      await exchange.write('b'.repeat(500))
      t.expect(await t.head(upload), { status: [404, 410] })
      t.expect(await t.get(upload), { status: [404, 410, 405] })
    }
  },
  {
    id: 'EDGE-51',
    title: 'one of many concurrent DELETE requests deletes the upload',
    needs: ['termination'],
    async run (t) {
      const upload = await t.create({ length: 6 })
      const responses = await Promise.all(Array.from({ length: 8 }, () => t.delete(upload)))
      const deleted = responses.filter(({ status }) => status === 204)
      t.check(deleted.length === 1, 'one 204', responses.map(({ status }) => status).join(', '))
      for (const response of responses) {
        t.check([204, 404, 410, 423].includes(response.status as number), '204, 404, 410 or 423', response)
      }
    }
  },
  {
    id: 'EDGE-52',
    title: 'a deleted upload accepts no bytes, and its URL is not reused',
    needs: ['termination'],
    async run (t) {
      const upload = await t.create({ length: 6 })
      t.expect(await t.delete(upload), { status: [204] })
      t.expect(await t.patch(upload, 0, 'abc'), { status: [404, 410] })
      const next = await t.create({ length: 6 })
      t.check(next !== upload, `a URL other than ${upload}`, next)
    }
  },
  {
    id: 'EDGE-53',
    title: 'a finished upload stays unchanged after any append',
    async run (t) {
      const upload = await t.finished('abc')
      t.expect(await t.patch(upload, 0, 'xyz'), { status: [409, 400, 403, 413] })
      t.expect(await t.patch(upload, 3, 'x'), { status: [413, 400, 403, 409] })
      t.expectAppended(await t.patch(upload, 3, ''), 3)
      await t.expectOffset(upload, 3)
      await t.expectContent(upload, 'abc')
    }
  },
  {
    id: 'EDGE-58',
    title: 'an append succeeds even if the upload expires meanwhile',
    needs: ['expiration'],
    async run (t) {
      const created = await t.post({ length: 1000 })
      const upload = t.located(created)
      const exchange = await t.begin(upload, 0, partOf(1000, 'a'.repeat(400)))
      await expired(t, created)
      await exchange.write('b'.repeat(600))
      exchange.end()
      t.expectAppended(await t.answer(exchange), 1000)
      await t.expectOffset(upload, 1000)
    }
  },
  {
    id: 'EDGE-61',
    title: 'a hundred concurrent HEAD requests on one upload all receive 200 or 423',
    async run (t) {
      const upload = await t.create({ length: 1000 })
      await t.stall(upload, 0, 1000, 'a'.repeat(400))
      const responses = await Promise.all(Array.from({ length: 100 }, () => t.head(upload)))
      for (const response of responses) {
        t.check([200, 204, 423].includes(response.status as number), '200 or 423', response)
      }
      t.expect(await t.head(upload), { status: [200, 204], strictly: { 'Upload-Offset': '400' } })
    }
  }
]
