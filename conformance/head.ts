import { header } from './expectation.ts'
import { expired } from './expiration.ts'
import type { Requirement } from './suite.ts'

const METADATA = 'filename d29ybGRfZG9taW5hdGlvbl9wbGFuLnBkZg==,is_confidential,binary /w==,Zeta YQ==,alpha Yg=='

/** HEAD: the offset of an upload. */
export const head: Requirement[] = [
  {
    id: 'HEAD-01',
    title: 'a new upload is at offset 0',
    async run (t) {
      const upload = await t.create({ length: 6 })
      await t.expectHead(upload, { 'Upload-Offset': '0' })
    }
  },
  {
    id: 'HEAD-01',
    title: 'a started upload is at the offset after its last byte',
    async run (t) {
      const upload = await t.create({ length: 6 })
      await t.patch(upload, 0, 'abc')
      await t.expectHead(upload, { 'Upload-Offset': '3' })
    }
  },
  {
    id: 'HEAD-01',
    title: 'the offset of a finished upload is its length',
    async run (t) {
      const upload = await t.finished('abcdef')
      await t.expectHead(upload, { 'Upload-Offset': '6', 'Upload-Length': '6' })
    }
  },
  {
    id: 'HEAD-02',
    title: 'HEAD returns a known length',
    async run (t) {
      const upload = await t.create({ length: 6 })
      await t.expectHead(upload, { 'Upload-Length': '6', 'Upload-Defer-Length': null })
    }
  },
  {
    id: 'HEAD-03',
    title: 'HEAD returns Upload-Defer-Length for an unknown length',
    needs: ['creation-defer-length'],
    async run (t) {
      const upload = await t.create({})
      await t.expectHead(upload, { 'Upload-Defer-Length': '1', 'Upload-Length': null })
    }
  },
  {
    id: 'HEAD-04',
    title: 'the response must not be cached',
    async run (t) {
      const upload = await t.create({ length: 6 })
      await t.expectHead(upload, { 'Cache-Control': /\bno-store\b/ })
    }
  },
  {
    id: 'HEAD-05',
    title: 'an unknown upload is not found and has no offset',
    async run (t) {
      t.expect(await t.head(t.unknown), { status: [404, 410, 403], headers: { 'Upload-Offset': null } })
    }
  },
  {
    id: 'HEAD-06',
    title: 'a deleted upload is not found or gone',
    needs: ['termination'],
    async run (t) {
      const upload = await t.create({ length: 6 })
      t.expect(await t.delete(upload), { status: [204] })
      t.expect(await t.head(upload), { status: [404, 410], headers: { 'Upload-Offset': null } })
    }
  },
  {
    id: 'HEAD-06',
    title: 'an expired upload is gone or not found',
    needs: ['expiration'],
    async run (t) {
      const created = await t.post({ length: 6 })
      await expired(t, created)
      t.expect(await t.head(t.located(created)), { status: [410, 404], headers: { 'Upload-Offset': null } })
    }
  },
  {
    id: 'HEAD-07',
    title: 'metadata is returned as it was sent: order, binary values, keys without a value',
    async run (t) {
      const upload = await t.create({ length: 6, metadata: METADATA })
      await t.expectHead(upload, { 'Upload-Metadata': METADATA })
    }
  },
  {
    id: 'HEAD-07',
    title: 'an upload without metadata has no Upload-Metadata',
    async run (t) {
      await t.expectHead(await t.create({ length: 6 }), { 'Upload-Metadata': null })
    }
  },
  {
    id: 'HEAD-08',
    title: 'HEAD during an append returns the offset to resume from',
    async run (t) {
      const upload = await t.create({ length: 1000 })
      await t.stall(upload, 0, 1000, Buffer.alloc(400, 'a'))
      const offset = await t.offset(upload)
      const response = await t.patch(upload, offset, Buffer.alloc(1000 - offset, 'b'))
      t.expectAppended(response, 1000)
      await t.expectContent(upload, 'a'.repeat(offset) + 'b'.repeat(1000 - offset))
    }
  },
  {
    id: 'HEAD-09',
    title: 'the response has no Content-Length other than the length of the file',
    async run (t) {
      const upload = await t.create({ length: 6 })
      t.expect(await t.patch(upload, 0, 'abc'), { status: [204] })
      for (const length of ['0', '6']) {
        const response = await t.head(upload)
        const told = header(response, 'content-length') ?? '0'
        t.check(told === '0' || (told === length && !t.strict), `no Content-Length, or Content-Length: ${length}`, response)
        await t.patch(upload, 3, 'def')
      }
    }
  },
  {
    id: 'HEAD-09',
    title: 'the response has no body: the next response on the connection follows directly',
    async run (t) {
      const on = await t.connect()
      t.expect(await t.head(await t.finished('abcdef'), { on }), { status: [200, 204] })
      t.expect(await t.send('OPTIONS', t.endpoint, { on }), { status: [204, 200] })
    }
  }
]
