import { createHash } from 'node:crypto'
import { chunked, partOf } from './transport.ts'
import type { Server } from './server.ts'
import type { Requirement } from './suite.ts'
import type { WireResponse } from './transport.ts'

const needs = ['checksum']

/** The algorithms that this suite can compute, by their protocol names. */
const COMPUTABLE = ['md5', 'sha1', 'sha256', 'sha512']

const MALFORMED = {
  'no digest': 'sha1',
  'two spaces': sha1('abc').replace(' ', '  '),
  'two digests': `${sha1('abc')} ${digest('sha1', 'abc')}`,
  'a digest that is not base64': 'sha1 !!!!',
  'a digest of the wrong length': 'sha1 YWJj',
  'no algorithm': digest('sha1', 'abc'),
  'no value': ''
}

/** checksum: a body with a wrong checksum is not stored. */
export const checksum: Requirement[] = [
  {
    id: 'CKSUM-01',
    title: 'Tus-Checksum-Algorithm lists the algorithms in lower case, including sha1',
    needs,
    async run (t) {
      t.expect(t.features.options, {
        status: [204, 200], headers: { 'Tus-Checksum-Algorithm': /^[a-z0-9-]+( *, *[a-z0-9-]+)*$/ }
      })
      t.check(t.features.checksumAlgorithms.includes('sha1'), 'Tus-Checksum-Algorithm with sha1', t.features.options)
    }
  },
  ...COMPUTABLE.map((algorithm): Requirement => ({
    id: 'CKSUM-02',
    title: `a body is stored only if its ${algorithm} digest matches`,
    needs,
    async run (t) {
      if (!t.features.checksumAlgorithms.includes(algorithm)) t.skip(`the server does not advertise ${algorithm}`)
      const upload = await t.create({ length: 6 })
      const header = (text: string) => `${algorithm} ${digest(algorithm, text)}`
      await mismatch(t, upload, await append(t, upload, 0, 'abc', header('abd')), 0)
      t.expectAppended(await append(t, upload, 0, 'abc', header('abc')), 3)
      await mismatch(t, upload, await append(t, upload, 3, 'def', header('abcdef')), 3)
      t.expectAppended(await append(t, upload, 3, chunked(['d', 'ef']), header('def')), 6)
      await t.expectContent(upload, 'abcdef')
    }
  })),
  {
    id: 'CKSUM-02',
    title: 'an empty body has a checksum too',
    needs,
    async run (t) {
      const upload = await t.create({ length: 6 })
      t.expectAppended(await append(t, upload, 0, '', sha1('')), 0)
      await mismatch(t, upload, await append(t, upload, 0, '', sha1('a')), 0)
    }
  },
  {
    id: 'CKSUM-03',
    title: 'a wrong checksum is a mismatch wherever the body ends, and the client may retry',
    needs,
    async run (t) {
      const upload = await t.create({ length: 6 })
      for (const body of ['abcdef', 'abc', chunked(['abc']), chunked(['abc', 'def'])]) {
        await mismatch(t, upload, await append(t, upload, 0, body, sha1('other')), 0)
      }
      t.expectAppended(await append(t, upload, 0, 'abcdef', sha1('abcdef')), 6)
      await t.expectContent(upload, 'abcdef')
    }
  },
  {
    id: 'CKSUM-03',
    title: 'a shorter body after a mismatch leaves no bytes of the longer one',
    needs,
    async run (t) {
      const upload = await t.create({ length: 6 })
      t.expectAppended(await t.patch(upload, 0, 'ab'), 2)
      await mismatch(t, upload, await append(t, upload, 2, 'xxxx', sha1('other')), 2)
      t.expectAppended(await t.patch(upload, 2, 'c'), 3)
      await t.expectOffset(upload, 3)
      t.expectAppended(await t.patch(upload, 3, 'def'), 6)
      await t.expectContent(upload, 'abcdef')
    }
  },
  {
    id: 'CKSUM-04',
    title: 'an unknown algorithm is refused',
    needs,
    async run (t) {
      const upload = await t.create({ length: 6 })
      for (const value of ['crc99 AAAA', 'constructor AAAA', '__proto__ AAAA']) {
        // A careful server does not wait for the body.
        t.expect(await append(t, upload, 0, t.strict ? partOf(3) : 'abc', value), { status: [400] })
      }
      await t.expectOffset(upload, 0)
    }
  },
  ...Object.entries(MALFORMED).map(([name, value]): Requirement => ({
    id: 'CKSUM-05',
    title: `Upload-Checksum with ${name} is refused`,
    needs,
    async run (t) {
      const upload = await t.create({ length: 6 })
      t.expect(await append(t, upload, 0, 'abc', value), { status: [400] })
      await t.expectOffset(upload, 0)
    }
  })),
  {
    id: 'CKSUM-05',
    title: 'two Upload-Checksum headers are refused',
    needs,
    async run (t) {
      const upload = await t.create({ length: 6 })
      t.expect(await append(t, upload, 0, 'abc', [sha1('abc'), sha1('abc')]), { status: [400] })
      await t.expectOffset(upload, 0)
    }
  },
  {
    id: 'CKSUM-05',
    title: 'an algorithm name in upper case is refused or understood',
    needs,
    async run (t) {
      const upload = await t.create({ length: 6 })
      const response = await append(t, upload, 0, 'abc', sha1('abc').replace('sha1', 'SHA1'))
      t.expect(response, { status: [400, 204] })
      await t.expectOffset(upload, response.status === 204 ? 3 : 0)
    }
  },
  ...(['fin', 'rst', 'half'] as const).map((how): Requirement => ({
    id: 'CKSUM-06',
    title: `no bytes of a body with a checksum are kept if it is interrupted by ${how.toUpperCase()}`,
    needs,
    async run (t) {
      const upload = await t.create({ length: 1000 })
      t.expectAppended(await t.patch(upload, 0, 'abc'), 3)
      const exchange = await stalled(t, upload)
      exchange.abort(how)
      await t.expectOffset(upload, 3)
      t.expectAppended(await append(t, upload, 3, 'b'.repeat(997), sha1('b'.repeat(997))), 1000)
      await t.expectContent(upload, `abc${'b'.repeat(997)}`)
    }
  })),
  {
    id: 'CKSUM-06',
    title: 'no bytes of a body with a checksum are kept if a later request displaces it',
    needs,
    async run (t) {
      const upload = await t.create({ length: 1000 })
      t.expectAppended(await t.patch(upload, 0, 'abc'), 3)
      await stalled(t, upload)
      await t.expectOffset(upload, 3)
      t.expectAppended(await t.patch(upload, 3, 'b'.repeat(997)), 1000)
      await t.expectContent(upload, `abc${'b'.repeat(997)}`)
    }
  },
  {
    id: 'CWU-07',
    title: 'the body of a creation may have a checksum',
    needs: [...needs, 'creation-with-upload'],
    async run (t) {
      const response = await t.post({ length: 6, body: 'abc', headers: { 'Upload-Checksum': sha1('abc') } })
      t.expect(response, { status: [201], headers: { Location: /./, 'Upload-Offset': '3' } })
      await t.expectOffset(t.located(response), 3)
    }
  },
  {
    id: 'CWU-07',
    title: 'a creation whose checksum is wrong or malformed creates no upload',
    needs: [...needs, 'creation-with-upload'],
    async run (t) {
      for (const [value, status] of [[sha1('other'), 460], ['crc99 AAAA', 400], ['sha1', 400]] as const) {
        const response = await t.post({ length: 6, body: 'abc', headers: { 'Upload-Checksum': value } })
        t.expect(response, { status: [status], headers: { Location: null } })
      }
    }
  }
]

/** The `Upload-Checksum` of a text. */
export function sha1 (text: string): string {
  return `sha1 ${digest('sha1', text)}`
}

/** Expects a checksum mismatch: status 460 and an unchanged offset. */
export async function mismatch (t: Server, upload: string, response: WireResponse, offset: number): Promise<void> {
  t.expect(response, { status: [460] })
  await t.expectOffset(upload, offset)
}

function digest (algorithm: string, text: string): string {
  return createHash(algorithm).update(text).digest('base64')
}

function append (
  t: Server, upload: string, offset: number, body: Parameters<Server['patch']>[2], checksum: string | string[]
): Promise<WireResponse> {
  return t.patch(upload, offset, body, { headers: { 'Upload-Checksum': checksum } })
}

async function stalled (t: Server, upload: string): ReturnType<Server['begin']> {
  const headers = { 'Upload-Checksum': sha1('b'.repeat(997)) }
  const exchange = await t.begin(upload, 3, partOf(997, 'b'.repeat(400)), { headers })
  await t.arrival()
  return exchange
}
