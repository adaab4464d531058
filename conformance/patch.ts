import { chunked, partOf, unended } from './transport.ts'
import type { Requirement } from './suite.ts'

const BODIES = { 'a body': 'abcdef', 'a chunked body': chunked(['ab', 'cde', 'f']) }
const TYPES = { another: 'text/plain', 'a similar': 'application/offset+octet-streams', no: null }

/** PATCH: appending to an upload. */
export const patch: Requirement[] = [
  ...Object.entries(TYPES).map(([name, type]): Requirement => ({
    id: 'PATCH-01',
    title: `PATCH with ${name} media type is refused and stores nothing`,
    async run (t) {
      const upload = await t.create({ length: 6 })
      t.expect(await t.patch(upload, 0, 'abcdef', { headers: { 'Content-Type': type } }), { status: [415] })
      await t.expectOffset(upload, 0)
    }
  })),
  ...[0, 2, 4, 6].map((offset): Requirement => ({
    id: 'PATCH-02',
    title: `an append at offset ${offset} to an upload at 3 is refused and changes nothing`,
    async run (t) {
      const upload = await t.create({ length: 6 })
      await t.patch(upload, 0, 'abc')
      t.expect(await t.patch(upload, offset, 'x'), { status: [409], strictly: { 'Upload-Offset': '3' } })
      await t.expectOffset(upload, 3)
      t.expect(await t.patch(upload, 3, 'def'), { status: [204] })
      await t.expectContent(upload, 'abcdef')
    }
  })),
  {
    id: 'PATCH-03',
    title: 'a successful append returns the new offset',
    async run (t) {
      const upload = await t.create({ length: 6 })
      t.expectAppended(await t.patch(upload, 0, 'ab'), 2)
      t.expectAppended(await t.patch(upload, 2, 'cdef'), 6)
    }
  },
  ...Object.entries(BODIES).map(([name, body]): Requirement => ({
    id: 'PATCH-04',
    title: `the new offset is the old one plus the bytes of ${name}`,
    async run (t) {
      const upload = await t.create({ length: 6 })
      t.expectAppended(await t.patch(upload, 0, body), 6)
      await t.expectOffset(upload, 6)
      await t.expectContent(upload, 'abcdef')
    }
  })),
  {
    id: 'PATCH-04',
    title: 'consecutive appends on one connection add up',
    async run (t) {
      const upload = await t.create({ length: 6 })
      const on = await t.connect()
      t.expectAppended(await t.patch(upload, 0, 'ab', { on }), 2)
      t.expectAppended(await t.patch(upload, 2, chunked(['c', 'd']), { on }), 4)
      t.expectAppended(await t.patch(upload, 4, 'ef', { on }), 6)
      await t.expectContent(upload, 'abcdef')
    }
  },
  {
    id: 'PATCH-05',
    title: 'an unknown upload is not found',
    async run (t) {
      t.expect(await t.patch(t.unknown, 0, 'abc'), { status: [404, 410, 403] })
    }
  },
  ...(['fin', 'rst', 'half'] as const).map((how): Requirement => ({
    id: 'PATCH-06',
    title: `the received bytes of a body that is interrupted by ${how.toUpperCase()} are kept`,
    async run (t) {
      const upload = await t.create({ length: 100_000 })
      const exchange = await t.stall(upload, 0, 100_000, Buffer.alloc(40_000, 'a'))
      exchange.abort(how)
      await t.expectOffset(upload, 40_000)
      const response = await t.patch(upload, 40_000, Buffer.alloc(60_000, 'b'))
      t.expectAppended(response, 100000)
      await t.expectContent(upload, 'a'.repeat(40_000) + 'b'.repeat(60_000))
    }
  })),
  {
    id: 'PATCH-06',
    title: 'the received bytes of an interrupted chunked body are kept',
    async run (t) {
      const upload = await t.create({ length: 100 })
      const exchange = await t.begin(upload, 0, unended(['a'.repeat(30), 'a'.repeat(10)]))
      await t.arrival()
      exchange.abort('fin')
      await t.expectOffset(upload, 40)
    }
  },
  {
    id: 'PATCH-07',
    title: 'a stalled body ends in a closed connection or a 5xx, and the received bytes are kept',
    async run (t) {
      const idleTimeout = t.orSkip(t.known.idleTimeout, 'the idle timeout of this server is unknown')
      const upload = await t.create({ length: 100 })
      const exchange = await t.begin(upload, 0, partOf(100, 'a'.repeat(40)))
      const response = await t.answer(exchange, idleTimeout + 5000)
      t.expect(response, { status: ['closed', '5xx'], headers: { Connection: 'close' } })
      await t.expectOffset(upload, 40)
    }
  },
  {
    id: 'PATCH-08',
    title: 'a Content-Length beyond the length is refused and nothing is stored',
    async run (t) {
      const upload = await t.create({ length: 3 })
      t.expect(await t.patch(upload, 0, 'abcd'), { status: [413] })
      await t.expectOffset(upload, 0)
      t.expect(await t.patch(upload, 0, 'abc'), { status: [204] })
    }
  },
  {
    id: 'PATCH-08',
    title: 'chunks beyond the length are refused and not stored beyond it',
    async run (t) {
      const upload = await t.create({ length: 3 })
      t.expect(await t.patch(upload, 0, chunked(['ab', 'cd', 'ef'])), { status: [413] })
      const offset = await t.offset(upload)
      t.check(offset <= 3, 'an offset of at most 3', String(offset))
    }
  },
  {
    id: 'PATCH-08',
    title: 'no byte of a chunked body beyond the length is stored',
    choice: true,
    async run (t) {
      const upload = await t.create({ length: 3 })
      await t.patch(upload, 0, 'a')
      t.expect(await t.patch(upload, 1, chunked(['b', 'c', 'd'])), { status: [413] })
      await t.expectOffset(upload, 1)
      t.expect(await t.patch(upload, 1, 'bc'), { status: [204] })
      await t.expectContent(upload, 'abc')
    }
  },
  {
    id: 'PATCH-09',
    title: 'an empty append is accepted, even twice and at the end',
    async run (t) {
      const upload = await t.create({ length: 3 })
      for (const offset of [0, 1, 3]) {
        t.expectAppended(await t.patch(upload, offset, ''), offset)
        t.expectAppended(await t.patch(upload, offset, ''), offset)
        if (offset < 3) await t.patch(upload, offset, 'abc'.slice(offset, offset === 0 ? 1 : 3))
      }
      await t.expectContent(upload, 'abc')
    }
  },
  {
    id: 'PATCH-10',
    title: 'a finished upload accepts no more bytes',
    async run (t) {
      const upload = await t.finished('abc')
      t.expect(await t.patch(upload, 3, 'd'), { status: [413, 400, 403, 409] })
      t.expect(await t.patch(upload, 3, chunked(['d'])), { status: [413, 400, 403, 409] })
      await t.expectOffset(upload, 3)
      await t.expectContent(upload, 'abc')
    }
  }
]
