import { gzipSync } from 'node:zlib'
import { chunked, partOf, unended } from './transport.ts'
import type { Requirement } from './suite.ts'

/** Hostile bodies. */
export const hostileBodies: Requirement[] = [
  {
    id: 'EDGE-30',
    title: 'a Content-Length above the remaining length is refused before the body',
    async run (t) {
      const upload = await t.create({ length: 6 })
      t.expect(await t.patch(upload, 0, 'abc'), { status: [204] })
      t.expect(await t.patch(upload, 3, partOf(4)), { status: [413] })
      await t.expectOffset(upload, 3)
      t.expect(await t.patch(upload, 3, 'def'), { status: [204] })
      await t.expectContent(upload, 'abcdef')
    }
  },
  {
    id: 'EDGE-31',
    title: 'chunks above the remaining length are refused before they end, and the client may resume',
    async run (t) {
      const upload = await t.create({ length: 6 })
      t.expect(await t.patch(upload, 0, 'abc'), { status: [204] })
      t.expect(await t.patch(upload, 3, unended(['de', 'fg'])), { status: [413] })
      const offset = await t.offset(upload)
      t.check(offset >= 3 && offset <= 6, 'an offset of 3 to 6', String(offset))
      t.expectAppended(await t.patch(upload, offset, 'abcdef'.slice(offset)), 6)
      await t.expectContent(upload, 'abcdef')
    }
  },
  {
    id: 'EDGE-32',
    title: 'a body that is cut off one byte before its end does not finish the upload',
    async run (t) {
      const upload = await t.create({ length: 100 })
      const exchange = await t.stall(upload, 0, 100, 'a'.repeat(99))
      exchange.abort('fin')
      await t.expectOffset(upload, 99)
    }
  },
  {
    id: 'EDGE-32',
    title: 'a malformed chunk interrupts the body',
    only: 'http/1.1',
    async run (t) {
      const upload = await t.create({ length: 100 })
      const exchange = await t.begin(upload, 0, partOf(0), {
        headers: { 'Transfer-Encoding': 'chunked', 'Content-Length': null }
      })
      await exchange.write('5\r\nabcde\r\n')
      await t.arrival()
      await exchange.write('zz\r\n')
      const response = await t.answer(exchange)
      t.expectNoSuccess(response)
      const offset = await t.offset(upload)
      t.check(offset === 0 || offset === 5, 'an offset of 0 or 5', String(offset))
    }
  },
  {
    id: 'EDGE-33',
    title: 'an upload of unknown length accepts a chunked body',
    needs: ['creation-defer-length'],
    async run (t) {
      const upload = await t.create({})
      const response = await t.patch(upload, 0, chunked(['abc', 'def']))
      t.expectAppended(response, 6)
    }
  },
  {
    id: 'EDGE-34',
    title: 'PATCH without Content-Length and Transfer-Encoding has an empty body',
    only: 'http/1.1',
    async run (t) {
      const upload = await t.create({ length: 6 })
      const headers = { 'Upload-Offset': '0', 'Content-Type': 'application/offset+octet-stream' }
      t.expectAppended(await t.send('PATCH', upload, { headers }), 0)
    }
  },
  {
    id: 'EDGE-35',
    title: 'a body of 2 MiB is stored',
    async run (t) {
      const bytes = Buffer.alloc(2 * 1024 * 1024, 'ab')
      if (bytes.length > (t.features.maxSize ?? Infinity)) t.skip('2 MiB exceed the maximum')
      const upload = await t.finished(bytes)
      await t.expectOffset(upload, bytes.length)
      await t.expectContent(upload, bytes)
    }
  },
  {
    id: 'EDGE-36',
    title: 'a body with Content-Encoding is refused or stored unchanged',
    async run (t) {
      const upload = await t.create({ length: 100 })
      const bytes = gzipSync('a'.repeat(90))
      const response = await t.patch(upload, 0, bytes, { headers: { 'Content-Encoding': 'gzip' } })
      t.expect(response, { status: [415, 400, 204] })
      await t.expectOffset(upload, response.status === 204 ? bytes.length : 0)
    }
  },
  {
    id: 'EDGE-38',
    title: 'an upload of length 0 accepts an empty append and refuses bytes',
    async run (t) {
      const upload = await t.create({ length: 0 })
      t.expectAppended(await t.patch(upload, 0, ''), 0)
      t.expect(await t.patch(upload, 0, 'a'), { status: [413, 400, 403, 409] })
      await t.expectHead(upload, { 'Upload-Offset': '0', 'Upload-Length': '0' })
      await t.expectContent(upload, '')
    }
  },
  {
    id: 'EDGE-39',
    title: 'an empty append to an unfinished upload changes nothing',
    async run (t) {
      const upload = await t.create({ length: 6 })
      t.expect(await t.patch(upload, 0, 'abc'), { status: [204] })
      for (const body of ['', chunked([])]) {
        t.expectAppended(await t.patch(upload, 3, body), 3)
      }
      t.expect(await t.patch(upload, 3, 'def'), { status: [204] })
      await t.expectContent(upload, 'abcdef')
    }
  },
  {
    id: 'EDGE-42',
    title: 'a half-close in the middle of a body interrupts it',
    only: 'http/1.1',
    async run (t) {
      const upload = await t.create({ length: 100 })
      const exchange = await t.stall(upload, 0, 100, 'a'.repeat(40))
      exchange.abort('half')
      const response = await t.answer(exchange)
      t.expectNoSuccess(response)
      await t.expectOffset(upload, 40)
    }
  },
  {
    id: 'EDGE-46',
    title: 'trailers are ignored',
    async run (t) {
      const upload = await t.create({ length: 3 })
      const body = chunked(['abc'], [['X-Other', 'yes'], ['Upload-Offset', '7']])
      const response = await t.patch(upload, 0, body, { headers: { Trailer: 'X-Other' } })
      t.expectAppended(response, 3)
    }
  }
]
