import { header } from './expectation.ts'
import { join, part, refused } from './concatenation.ts'
import type { Requirement } from './suite.ts'

const needs = ['concatenation']

const FOREIGN = ['javascript:', 'file://', '\\']

/** Proxies change hosts and ports, so a server may compare only the path. */
const OTHER_HOSTS = ['https://other.example', '//other.example', 'http://other.example:80', 'http://user@other.example']

/** Abuse of concatenation. */
export const hostileConcatenation: Requirement[] = [
  {
    id: 'EDGE-75',
    title: 'a part repeated 300 times is joined or refused',
    needs,
    async run (t) {
      const response = await join(t, Array<string>(300).fill(await part(t, 'a')))
      t.check([201, 400, 413, 431].includes(response.status as number), '201, 400, 413 or 431', response)
      if (response.status !== 201) return t.check(header(response, 'location') === undefined, 'no Location', response)
      await t.expectHead(t.located(response), { 'Upload-Length': '300' })
    }
  },
  {
    id: 'EDGE-75',
    title: 'a part repeated 10 000 times is refused',
    needs,
    async run (t) {
      const response = await join(t, Array<string>(10_000).fill(await part(t, 'a')))
      t.check([400, 413, 431, 'closed'].includes(response.status), '400, 413, 431 or a closed connection', response)
    }
  },
  ...FOREIGN.map((origin): Requirement => ({
    id: 'EDGE-76',
    title: `a part at ${origin} is refused`,
    needs,
    async run (t) {
      refused(t, await join(t, [origin + await part(t, 'abc')]))
    }
  })),
  ...OTHER_HOSTS.map((origin): Requirement => ({
    id: 'EDGE-76',
    title: `a part at ${origin} is resolved by its path or refused`,
    needs,
    async run (t) {
      const response = await join(t, [origin + await part(t, 'abc')])
      if (response.status !== 201) return refused(t, response)
      const upload = t.located(response)
      await t.expectHead(upload, { 'Upload-Length': '3', 'Upload-Offset': '3' })
      await t.expectContent(upload, 'abc')
    }
  })),
  {
    id: 'EDGE-77',
    title: 'a part with an append in progress is refused',
    needs,
    async run (t) {
      if (t.offers('concatenation-unfinished')) t.skip('the server advertises concatenation-unfinished')
      const busy = await t.create({ length: 1000, headers: { 'Upload-Concat': 'partial' } })
      await t.stall(busy, 0, 1000, 'a'.repeat(400))
      const response = await join(t, [await part(t, 'abc'), busy])
      t.check([400, 409, 423].includes(response.status as number), '400, 409 or 423', response)
      t.check(header(response, 'location') === undefined, 'no Location', response)
    }
  },
  {
    id: 'EDGE-77',
    title: 'concurrent joins of the same parts, in any order, all complete',
    needs,
    async run (t) {
      const [a, b] = [await part(t, 'aaa'), await part(t, 'b')]
      const orders = [[a, b], [b, a], [a, a, b], [b, b, a], [a, b], [b, a]]
      for (const response of await Promise.all(orders.map(parts => join(t, parts)))) {
        t.check([201, 409, 423].includes(response.status as number), '201, 409 or 423', response)
        if (response.status === 201) t.located(response)
      }
    }
  },
  {
    id: 'EDGE-77',
    title: 'if a part is deleted during a join, the final upload is complete or not created',
    needs: [...needs, 'termination'],
    async run (t) {
      const bytes = 'a'.repeat(200_000)
      const a = await part(t, bytes)
      const [response] = await Promise.all([join(t, [a, a]), t.delete(a)])
      if (response.status !== 201) return t.check(header(response, 'location') === undefined, 'no Location', response)
      const upload = t.located(response)
      await t.expectHead(upload, { 'Upload-Length': '400000', 'Upload-Offset': '400000' })
      await t.expectContent(upload, bytes + bytes)
    }
  },
  {
    id: 'EDGE-79',
    title: 'a part of unknown length is refused',
    needs: [...needs, 'creation-defer-length'],
    async run (t) {
      if (t.offers('concatenation-unfinished')) t.skip('the server advertises concatenation-unfinished')
      const deferred = await t.create({ headers: { 'Upload-Concat': 'partial' } })
      t.expectAppended(await t.patch(deferred, 0, 'abc'), 3)
      const response = await join(t, [deferred])
      t.expect(response, { status: [400, 409], headers: { Location: null } })
    }
  }
]
