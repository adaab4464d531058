import { header } from './expectation.ts'
import type { CreateOptions, Server } from './server.ts'
import type { Requirement } from './suite.ts'
import type { WireResponse } from './transport.ts'

const needs = ['concatenation']

const OTHER_VALUES = ['foo', 'final', 'final;', 'partial;', 'partial, partial', 'Final;/files/a', '']

/** The largest `Tus-Max-Size` that the suite exceeds, in bytes. */
const BOUND = 8 * 1024 * 1024

/** concatenation: a final upload joins partial uploads. */
export const concatenation: Requirement[] = [
  {
    id: 'CONCAT-01',
    title: 'a partial upload is created like any other',
    needs,
    async run (t) {
      const response = await t.post({ length: 3, headers: { 'Upload-Concat': 'partial' } })
      t.expect(response, { status: [201], headers: { Location: /./ } })
      t.expectAppended(await t.patch(t.located(response), 0, 'abc'), 3)
    }
  },
  {
    id: 'CONCAT-02',
    title: 'HEAD returns Upload-Concat: partial and the offset',
    needs,
    async run (t) {
      const upload = await t.create({ length: 3, headers: { 'Upload-Concat': 'partial' } })
      await t.expectHead(upload, { 'Upload-Concat': 'partial', 'Upload-Offset': '0', 'Upload-Length': '3' })
      t.expectAppended(await t.patch(upload, 0, 'abc'), 3)
      await t.expectHead(upload, { 'Upload-Concat': 'partial', 'Upload-Offset': '3', 'Upload-Length': '3' })
    }
  },
  {
    id: 'CONCAT-03',
    title: 'a final upload contains the bytes of its parts in order, including repeated parts',
    needs,
    async run (t) {
      const [a, b] = [await part(t, 'aaa'), await part(t, 'b')]
      const upload = await joined(t, [a, b, a])
      await t.expectHead(upload, { 'Upload-Length': '7' })
      await t.expectContent(upload, 'aaabaaa')
    }
  },
  {
    id: 'CONCAT-03',
    title: 'parts may be absolute URLs',
    needs,
    async run (t) {
      const [a, b] = [await part(t, 'aaa'), await part(t, 'b')]
      const upload = await joined(t, [t.absolute(b), a, t.absolute(a)])
      await t.expectContent(upload, 'baaaaaa')
    }
  },
  {
    id: 'CONCAT-03',
    title: 'a part may be empty',
    needs,
    async run (t) {
      const empty = await t.create({ length: 0, headers: { 'Upload-Concat': 'partial' } })
      await t.expectContent(await joined(t, [empty, await part(t, 'abc'), empty]), 'abc')
    }
  },
  {
    id: 'CONCAT-04',
    title: 'Upload-Length of a final upload is refused or ignored',
    needs,
    async run (t) {
      const response = await join(t, [await part(t, 'abc')], { 'Upload-Length': '5' })
      t.expect(response, { status: [400, 201] })
      if (response.status === 201) await t.expectHead(t.located(response), { 'Upload-Length': '3' })
    }
  },
  {
    id: 'CONCAT-05',
    title: 'the length and the offset of a final upload are the total length of its parts',
    needs,
    async run (t) {
      const upload = await joined(t, [await part(t, 'abc'), await part(t, 'de')])
      await t.expectHead(upload, { 'Upload-Offset': '5', 'Upload-Length': '5' })
    }
  },
  {
    id: 'CONCAT-06',
    title: 'HEAD returns the parts of a final upload as the client sent them',
    needs,
    async run (t) {
      const parts = [t.absolute(await part(t, 'abc')), await part(t, 'de')]
      await t.expectHead(await joined(t, parts), { 'Upload-Concat': `final;${parts.join(' ')}` })
    }
  },
  {
    id: 'CONCAT-07',
    title: 'a final upload has an offset only once it is complete',
    needs,
    async run (t) {
      const upload = await joined(t, [await part(t, 'abc'), await part(t, 'de')])
      const response = await t.head(upload)
      t.check([undefined, '5'].includes(header(response, 'upload-offset')), 'no Upload-Offset, or 5', response)
    }
  },
  {
    id: 'CONCAT-08',
    title: 'a final upload refuses every append and stays unchanged',
    needs,
    async run (t) {
      const a = await part(t, 'abc')
      const upload = await joined(t, [a])
      for (const [offset, body] of [[3, 'd'], [3, ''], [0, 'xyz'], [7, 'd']] as const) {
        t.expect(await t.patch(upload, offset, body), { status: [403] })
      }
      await t.expectContent(upload, 'abc')
      await t.expectOffset(a, 3)
    }
  },
  {
    id: 'CONCAT-09',
    title: 'an unfinished part is refused',
    needs,
    async run (t) {
      if (t.offers('concatenation-unfinished')) t.skip('the server advertises concatenation-unfinished')
      const unfinished = await t.create({ length: 6, headers: { 'Upload-Concat': 'partial' } })
      t.expectAppended(await t.patch(unfinished, 0, 'abc'), 3)
      const response = await join(t, [await part(t, 'abc'), unfinished])
      t.expect(response, { status: [400, 409], headers: { Location: null } })
    }
  },
  {
    id: 'CONCAT-10',
    title: 'a part that does not exist is refused',
    needs,
    async run (t) {
      refused(t, await join(t, [await part(t, 'abc'), t.unknown]))
    }
  },
  {
    id: 'CONCAT-10',
    title: 'a part that is a regular or a final upload is refused',
    needs,
    async run (t) {
      refused(t, await join(t, [await t.finished('abc')]))
      refused(t, await join(t, [await joined(t, [await part(t, 'abc')])]))
    }
  },
  {
    id: 'CONCAT-10',
    title: 'a part outside this endpoint is refused',
    needs,
    async run (t) {
      const a = await part(t, 'abc')
      const id = a.slice(a.lastIndexOf('/') + 1)
      for (const url of [`/evil${a}`, `/${id}`, `${a}%00`, t.endpoint, '/']) {
        refused(t, await join(t, [url]))
      }
    }
  },
  ...OTHER_VALUES.map((value): Requirement => ({
    id: 'CONCAT-11',
    title: `Upload-Concat: ${value || '(empty)'} is refused`,
    needs,
    async run (t) {
      const response = await t.post({ length: 3, headers: { 'Upload-Concat': value } })
      t.expect(response, { status: [400], headers: { Location: null } })
    }
  })),
  {
    id: 'CONCAT-12',
    title: 'a final upload has its own metadata, not that of its parts',
    needs,
    async run (t) {
      const a = await part(t, 'abc', { metadata: 'filename YQ==,part MQ==' })
      await t.expectHead(await joined(t, [a]), { 'Upload-Metadata': null })
      const named = await joined(t, [a], { 'Upload-Metadata': 'filename Yg==' })
      await t.expectHead(named, { 'Upload-Metadata': 'filename Yg==' })
    }
  },
  {
    id: 'CONCAT-14',
    title: 'parts with a total length above the maximum are refused',
    needs,
    async run (t) {
      const maxSize = t.orSkip(t.features.maxSize, 'no Tus-Max-Size')
      if (maxSize > BOUND) t.skip('the maximum is larger than the suite sends')
      const half = await part(t, 'a'.repeat(Math.floor(maxSize / 2) + 1))
      t.expect(await join(t, [half, half]), { status: [413], headers: { Location: null } })
    }
  },
  {
    id: 'CONCAT-15',
    title: 'the creation of a final upload with a body is refused',
    needs,
    async run (t) {
      const headers = { 'Upload-Concat': `final;${await part(t, 'abc')}`, 'Upload-Defer-Length': null }
      refused(t, await t.post({ headers, body: 'def' }))
    }
  },
  {
    id: 'CONCAT-17',
    title: 'with concatenation-unfinished, a final upload waits for its unfinished parts',
    needs: [...needs, 'concatenation-unfinished'],
    async run (t) {
      const unfinished = await t.create({ length: 3, headers: { 'Upload-Concat': 'partial' } })
      const upload = await joined(t, [await part(t, 'abc'), unfinished])
      await t.expectHead(upload, { 'Upload-Offset': null, 'Upload-Length': '6' })
      t.expectAppended(await t.patch(unfinished, 0, 'def'), 3)
      // The server may join the parts later.
      for (let i = 0; i < 20 && header(await t.head(upload), 'upload-offset') === undefined; i++) await t.arrival()
      await t.expectHead(upload, { 'Upload-Offset': '6', 'Upload-Length': '6' })
      await t.expectContent(upload, 'abcdef')
    }
  }
]

/** Creates a finished partial upload. */
export function part (t: Server, bytes: string, options: CreateOptions = {}): Promise<string> {
  return t.finished(bytes, { ...options, headers: { 'Upload-Concat': 'partial' } })
}

/** Requests a final upload of these parts. */
export function join (t: Server, parts: string[], headers: Record<string, string> = {}): Promise<WireResponse> {
  return t.send('POST', t.endpoint, { headers: { 'Upload-Concat': `final;${parts.join(' ')}`, ...headers } })
}

/** Expects a refusal with one of these statuses and no created upload. */
export function refused (t: Server, response: WireResponse): void {
  t.check([400, 403, 404].includes(response.status as number), '400, 403 or 404', response)
  t.check(header(response, 'location') === undefined, 'no Location', response)
}

async function joined (t: Server, parts: string[], headers: Record<string, string> = {}): Promise<string> {
  const response = await join(t, parts, headers)
  t.expect(response, { status: [201], headers: { Location: /./ } })
  return t.located(response)
}
