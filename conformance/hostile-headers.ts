import { list } from './expectation.ts'
import type { Requirement } from './suite.ts'

const METADATA = {
  'a value without padding': 'a YQ',
  'a URL-safe value': 'a _-8=',
  'a character outside base64 in a value': 'a YQ=\u00e9',
  'bytes above 0x7F in a key': '\u00e9 YQ=='
}

const OTHER_TYPES = [
  'application/json', 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'x/y'
]

const base64 = (text: string | Buffer) => Buffer.from(text).toString('base64')

/** Hostile headers. */
export const hostileHeaders: Requirement[] = [
  {
    id: 'EDGE-05',
    title: 'two Upload-Offset headers are refused',
    async run (t) {
      const upload = await t.create({ length: 6 })
      for (const lines of [['0', '0'], ['0', '5']]) {
        t.expect(await t.patch(upload, 0, 'abc', { headers: { 'Upload-Offset': lines } }), { status: [400] })
      }
      await t.expectOffset(upload, 0)
    }
  },
  {
    id: 'EDGE-05',
    title: 'two Upload-Length headers are refused',
    needs: ['creation'],
    async run (t) {
      const response = await t.post({ length: 3, headers: { 'Upload-Length': ['3', '3'] } })
      t.expect(response, { status: [400], headers: { Location: null } })
    }
  },
  {
    id: 'EDGE-05',
    title: 'two Tus-Resumable headers are refused',
    async run (t) {
      const upload = await t.create({ length: 6 })
      const headers = { 'Tus-Resumable': ['1.0.0', '1.0.0'] }
      t.expect(await t.patch(upload, 0, 'abc', { headers }), { status: [412, 400] })
      await t.expectOffset(upload, 0)
    }
  },
  {
    id: 'EDGE-05',
    title: 'two Upload-Metadata headers are joined as one list or refused',
    needs: ['creation'],
    async run (t) {
      const response = await t.post({ length: 3, headers: { 'Upload-Metadata': ['a YQ==', 'b Yg=='] } })
      if (response.status !== 201) return t.expect(response, { status: [400], headers: { Location: null } })
      await t.expectHead(t.located(response), { 'Upload-Metadata': /^a YQ==\s*,\s*b Yg==$/ })
    }
  },
  {
    id: 'EDGE-05',
    title: 'two Content-Type headers are refused, or the first one applies',
    only: 'http/1.1',
    async run (t) {
      const tus = 'application/offset+octet-stream'
      const upload = await t.create({ length: 6 })
      const wrongFirst = await t.patch(upload, 0, 'a', { headers: { 'Content-Type': ['text/plain', tus] } })
      t.expect(wrongFirst, { status: [415, 400] })
      await t.expectOffset(upload, 0)
      const rightFirst = await t.patch(upload, 0, 'a', { headers: { 'Content-Type': [tus, 'text/plain'] } })
      t.expect(rightFirst, { status: [204, 415, 400] })
    }
  },
  {
    id: 'EDGE-06',
    title: 'Content-Length with Transfer-Encoding is refused, or only the latter applies',
    only: 'http/1.1',
    async run (t) {
      const upload = await t.create({ length: 6 })
      const headers = { 'Content-Length': '3', 'Transfer-Encoding': 'chunked' }
      const response = await t.patch(upload, 0, '3\r\nabc\r\n0\r\n\r\n', { headers })
      t.expect(response, { status: [400, 'closed', 204] })
      await t.expectOffset(upload, response.status === 204 ? 3 : 0)
    }
  },
  ...Object.entries({
    'two Content-Length headers': { 'Content-Length': ['3', '4'] },
    'a negative Content-Length': { 'Content-Length': '-3' }
  }).map(([name, headers]): Requirement => ({
    id: 'EDGE-06',
    title: `a body with ${name} is refused and not stored`,
    only: 'http/1.1',
    async run (t) {
      const upload = await t.create({ length: 6 })
      t.expect(await t.patch(upload, 0, 'abc', { headers }), { status: [400, 'closed'] })
      await t.expectOffset(upload, 0)
    }
  })),
  {
    id: 'EDGE-10',
    title: 'more than 16 KiB of headers are refused',
    choice: true,
    async run (t) {
      const response = await t.post({ length: 3, metadata: `a ${'YWFh'.repeat(5000)}` })
      t.check([431, 400, 413, 'closed'].includes(response.status), '431, 400, 413 or a closed connection', response)
    }
  },
  ...Object.entries({
    'more than 100 keys': Array.from({ length: 101 }, (_, i) => `k${i}`).join(','),
    'more than 8 KiB': `a ${'YWFh'.repeat(2100)}`
  }).map(([name, metadata]): Requirement => ({
    id: 'EDGE-10',
    title: `Upload-Metadata with ${name} is refused`,
    choice: true,
    async run (t) {
      t.expect(await t.post({ length: 3, metadata }), { status: [400], headers: { Location: null } })
    }
  })),
  ...Object.entries(METADATA).map(([name, metadata]): Requirement => ({
    id: 'EDGE-11',
    title: `Upload-Metadata with ${name} is refused`,
    needs: ['creation'],
    async run (t) {
      t.expect(await t.post({ length: 3, metadata }), { status: [400], headers: { Location: null } })
    }
  })),
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty'].map((key): Requirement => ({
    id: 'EDGE-11',
    title: `${key} is accepted as a metadata key`,
    needs: ['creation'],
    async run (t) {
      const pairs = [`${key} YQ==`, 'b Yg==']
      const upload = await t.create({ length: 3, metadata: pairs.join() })
      // HEAD-07 checks their order.
      const response = await t.head(upload)
      const there = list(response, 'upload-metadata')
      t.check(pairs.every(pair => there.includes(pair)), `Upload-Metadata with ${pairs.join(' and ')}`, response)
    }
  })),
  {
    id: 'EDGE-11',
    title: 'an empty Upload-Metadata is ignored or refused',
    needs: ['creation'],
    async run (t) {
      const response = await t.post({ length: 3, metadata: '' })
      t.expect(response, { status: [201, 400] })
      if (response.status === 201) await t.expectHead(t.located(response), { 'Upload-Metadata': null })
    }
  },
  {
    id: 'EDGE-12',
    title: 'metadata values with CR, LF, NUL and binary bytes are returned as they were sent',
    needs: ['creation'],
    async run (t) {
      const values = ['\r\n\r\n', '\0', Buffer.from([0xff, 0xfe, 0x80])]
      const metadata = values.map((value, i) => `k${i} ${base64(value)}`).join(',')
      const upload = await t.create({ length: 3, metadata })
      await t.expectHead(upload, { 'Upload-Metadata': metadata })
    }
  },
  ...['Application/Offset+Octet-Stream', 'application/offset+octet-stream; charset=utf-8'].map((type): Requirement => ({
    id: 'EDGE-13',
    title: `the media type ${type} is accepted`,
    async run (t) {
      const upload = await t.create({ length: 3 })
      const response = await t.patch(upload, 0, 'abc', { headers: { 'Content-Type': type } })
      t.expectAppended(response, 3)
    }
  })),
  ...[null, '', '/', ...OTHER_TYPES].map((type): Requirement => ({
    id: 'EDGE-14',
    title: `PATCH with ${type === null ? 'no media type' : `the media type ${type || '(empty)'}`} is refused`,
    async run (t) {
      const upload = await t.create({ length: 3 })
      const response = await t.patch(upload, 0, '{}', { headers: { 'Content-Type': type } })
      t.expect(response, { status: [415, 400, 403], headers: { 'Tus-Resumable': '1.0.0' } })
      await t.expectOffset(upload, 0)
    }
  })),
  ...OTHER_TYPES.map((type): Requirement => ({
    id: 'EDGE-15',
    title: `POST with a body of type ${type} creates an upload and ignores the body`,
    needs: ['creation'],
    async run (t) {
      const response = await t.post({ length: 6, headers: { 'Content-Type': type }, body: '{"a":1}' })
      t.expect(response, { status: [201], headers: { Location: /./ } })
      await t.expectOffset(t.located(response), 0)
    }
  })),
  {
    id: 'EDGE-16',
    title: 'HEAD with an unsupported version is refused with the supported ones, without a body',
    async run (t) {
      const upload = await t.create({ length: 6 })
      const on = await t.connect()
      const response = await t.head(upload, { headers: { 'Tus-Resumable': '0.2.2' }, on })
      t.expect(response, { status: [412], headers: { 'Tus-Version': /\b1\.0\.0\b/, 'Upload-Offset': null } })
    }
  },
  {
    id: 'EDGE-17',
    title: 'X-HTTP-Method-Override: patch is treated as PATCH',
    async run (t) {
      const upload = await t.create({ length: 3 })
      const headers = {
        'X-HTTP-Method-Override': 'patch', 'Upload-Offset': '0', 'Content-Type': 'application/offset+octet-stream'
      }
      t.expectAppended(await t.send('POST', upload, { headers, body: 'abc' }), 3)
    }
  },
  ...['TRACE', 'PUT', 'no method', '<script>'].map((method): Requirement => ({
    id: 'EDGE-17',
    title: `X-HTTP-Method-Override: ${method} is not allowed`,
    async run (t) {
      const upload = await t.create({ length: 3 })
      const response = await t.send('POST', upload, { headers: { 'X-HTTP-Method-Override': method } })
      t.expect(response, { status: [405, 400, 404, 501] })
    }
  })),
  {
    id: 'EDGE-18',
    title: 'X-HTTP-Method-Override is ignored on a preflight',
    async run (t) {
      const upload = await t.create({ length: 3 })
      const headers = {
        'Tus-Resumable': null,
        Origin: 'https://example.com',
        'Access-Control-Request-Method': 'PATCH',
        'X-HTTP-Method-Override': 'DELETE'
      }
      t.expect(await t.send('OPTIONS', upload, { headers }), { status: [204, 200] })
      await t.expectOffset(upload, 0)
    }
  },
  {
    id: 'EDGE-19',
    title: 'Upload-Draft-Interop-Version together with Tus-Resumable changes nothing',
    async run (t) {
      const headers = { 'Upload-Draft-Interop-Version': '6', 'Upload-Complete': '?1' }
      const upload = await t.create({ length: 3, headers })
      const response = await t.patch(upload, 0, 'abc', { headers })
      t.expect(response, { status: [204], headers: { 'Upload-Offset': '3', 'Tus-Resumable': '1.0.0' } })
    }
  }
]
