import { mismatch, sha1 } from './checksum.ts'
import { chunked } from './transport.ts'
import type { Server } from './server.ts'
import type { Requirement } from './suite.ts'
import type { WireResponse } from './transport.ts'

const needs = ['checksum', 'checksum-trailer']

/** checksum-trailer: the checksum follows the body. */
export const checksumTrailer: Requirement[] = [
  {
    id: 'CKSUM-08',
    title: 'a body with a matching checksum in its trailer is stored',
    needs,
    async run (t) {
      const upload = await t.create({ length: 6 })
      t.expectAppended(await append(t, upload, 0, ['a', 'bc'], sha1('abc')), 3)
      t.expectAppended(await append(t, upload, 3, ['def'], sha1('def')), 6)
      await t.expectContent(upload, 'abcdef')
    }
  },
  {
    id: 'CKSUM-08',
    title: 'a wrong checksum in the trailer is a mismatch',
    needs,
    async run (t) {
      const upload = await t.create({ length: 6 })
      await mismatch(t, upload, await append(t, upload, 0, ['abc', 'def'], sha1('other')), 0)
      t.expectAppended(await t.patch(upload, 0, 'abc'), 3)
      await mismatch(t, upload, await append(t, upload, 3, ['def'], sha1('other')), 3)
      t.expectAppended(await append(t, upload, 3, ['def'], sha1('def')), 6)
      await t.expectContent(upload, 'abcdef')
    }
  },
  ...['crc99 AAAA', 'sha1', 'sha1 !!!!', 'sha1 YWJj', ''].map((value): Requirement => ({
    id: 'CKSUM-08',
    title: `Upload-Checksum: ${value || '(empty)'} in a trailer is refused`,
    needs,
    async run (t) {
      const upload = await t.create({ length: 6 })
      t.expect(await append(t, upload, 0, ['abc'], value), { status: [400] })
      await t.expectOffset(upload, 0)
    }
  })),
  {
    id: 'CKSUM-09',
    title: 'the body is dropped if the announced trailer is missing',
    needs,
    choice: true,
    async run (t) {
      const upload = await t.create({ length: 6 })
      const response = await t.patch(upload, 0, chunked(['abc']), { headers: { Trailer: 'Upload-Checksum' } })
      t.expect(response, { status: [400] })
      await t.expectOffset(upload, 0)
    }
  },
  {
    id: 'CKSUM-09',
    title: 'a checksum both in a header and in a trailer is refused',
    needs,
    choice: true,
    async run (t) {
      const upload = await t.create({ length: 6 })
      const response = await append(t, upload, 0, ['abc'], sha1('abc'), { 'Upload-Checksum': sha1('abc') })
      t.expect(response, { status: [400] })
      await t.expectOffset(upload, 0)
    }
  },
  {
    id: 'CKSUM-10',
    title: 'trailers are ignored if checksum-trailer is not offered',
    async run (t) {
      if (t.offers('checksum-trailer')) t.skip('the server advertises checksum-trailer')
      const upload = await t.create({ length: 6 })
      t.expectAppended(await append(t, upload, 0, ['abc'], sha1('other')), 3)
    }
  }
]

function append (
  t: Server, upload: string, offset: number, chunks: string[], checksum: string, headers: Record<string, string> = {}
): Promise<WireResponse> {
  return t.patch(upload, offset, chunked(chunks, [['Upload-Checksum', checksum]]), {
    headers: { Trailer: 'Upload-Checksum', ...headers }
  })
}
