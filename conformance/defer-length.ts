import { chunked } from './transport.ts'
import type { Requirement } from './suite.ts'

const needs = ['creation-defer-length']

/** The largest `Tus-Max-Size` that the suite exceeds, in bytes. */
const BOUND = 8 * 1024 * 1024

/** creation-defer-length: the client declares the length later. */
export const deferLength: Requirement[] = [
  {
    id: 'DEFER-01',
    title: 'an upload may be created without a length',
    needs,
    async run (t) {
      t.expect(await t.post({}), { status: [201], headers: { Location: /./ } })
    }
  },
  {
    id: 'DEFER-02',
    title: 'a later append declares the length, which is then fixed',
    needs,
    async run (t) {
      const upload = await t.create({})
      t.expectAppended(await t.patch(upload, 0, 'abc'), 3)
      t.expect(await t.patch(upload, 3, 'd', { headers: { 'Upload-Length': '6' } }), { status: [204] })
      await t.expectHead(upload, { 'Upload-Offset': '4', 'Upload-Length': '6', 'Upload-Defer-Length': null })
      t.expectAppended(await t.patch(upload, 4, 'ef'), 6)
      await t.expectContent(upload, 'abcdef')
    }
  },
  {
    id: 'DEFER-03',
    title: 'a different length afterwards is refused',
    needs,
    async run (t) {
      const upload = await t.create({})
      t.expect(await t.patch(upload, 0, 'abc', { headers: { 'Upload-Length': '6' } }), { status: [204] })
      t.expect(await t.patch(upload, 3, 'def', { headers: { 'Upload-Length': '7' } }), { status: [400] })
      await t.expectHead(upload, { 'Upload-Offset': '3', 'Upload-Length': '6' })
    }
  },
  {
    id: 'DEFER-03',
    title: 'the same length afterwards is accepted or refused',
    needs,
    async run (t) {
      const upload = await t.create({})
      const headers = { 'Upload-Length': '6' }
      t.expect(await t.patch(upload, 0, 'abc', { headers }), { status: [204] })
      t.expect(await t.patch(upload, 3, 'def', { headers }), { status: [204, 400] })
    }
  },
  {
    id: 'DEFER-04',
    title: 'a length below the offset is refused and not recorded',
    needs,
    async run (t) {
      const upload = await t.create({})
      t.expect(await t.patch(upload, 0, 'abcde'), { status: [204] })
      t.expect(await t.patch(upload, 5, '', { headers: { 'Upload-Length': '1' } }), { status: [400, 409] })
      await t.expectHead(upload, { 'Upload-Offset': '5', 'Upload-Length': null, 'Upload-Defer-Length': '1' })
    }
  },
  {
    id: 'DEFER-05',
    title: 'a length above the maximum is refused',
    needs,
    async run (t) {
      const maxSize = t.orSkip(t.features.maxSize, 'no Tus-Max-Size')
      const upload = await t.create({})
      const response = await t.patch(upload, 0, 'abc', { headers: { 'Upload-Length': String(maxSize + 1) } })
      t.expect(response, { status: [413] })
      await t.expectHead(upload, { 'Upload-Length': null })
    }
  },
  ...[false, true].map((inChunks): Requirement => ({
    id: 'DEFER-06',
    title: `the maximum applies while the length is unknown, for ${inChunks ? 'a chunked body' : 'a Content-Length'}`,
    needs,
    async run (t) {
      const maxSize = t.orSkip(t.features.maxSize, 'no Tus-Max-Size')
      if (maxSize > BOUND) t.skip('the maximum is larger than the suite sends')
      const upload = await t.create({})
      const bytes = Buffer.alloc(maxSize + 1)
      const body = inChunks ? chunked([bytes.subarray(0, maxSize), bytes.subarray(maxSize)]) : bytes
      t.expect(await t.patch(upload, 0, body), { status: [413] })
      const offset = await t.offset(upload)
      t.check(offset <= maxSize, `an offset of at most ${maxSize}`, String(offset))
    }
  })),
  ...[false, true].map((inChunks): Requirement => ({
    id: 'DEFER-07',
    title: `an append refused for its ${inChunks ? 'chunked body' : 'Content-Length'} does not fix the length`,
    needs,
    async run (t) {
      const upload = await t.create({})
      const body = inChunks ? chunked(['abc', 'de']) : 'abcde'
      const response = await t.patch(upload, 0, body, { headers: { 'Upload-Length': '3' } })
      t.expect(response, { status: [413, 400] })
      await t.expectHead(upload, { 'Upload-Defer-Length': '1', 'Upload-Length': null })
    }
  })),
  {
    id: 'DEFER-08',
    title: 'an empty append that declares the offset as the length finishes the upload',
    needs,
    async run (t) {
      const upload = await t.create({})
      t.expect(await t.patch(upload, 0, 'abc'), { status: [204] })
      const response = await t.patch(upload, 3, '', { headers: { 'Upload-Length': '3' } })
      t.expectAppended(response, 3)
      await t.expectHead(upload, { 'Upload-Offset': '3', 'Upload-Length': '3' })
      await t.expectContent(upload, 'abc')
    }
  }
]
