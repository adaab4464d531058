import type { Requirement } from './suite.ts'

const IDS = [
  '..%2f..%2fetc%2fpasswd', '%2e%2e', '..', '.', 'a%5cb', '%00', 'a%00b', 'a%20b', '%2f', '%2fetc%2fpasswd', '...',
  '-', 'a:b', 'con', '%E4%B8%AD', '*', 'a;b', 'x%0d%0aX-Injected:%20yes'
]

const SIDECARS = ['.json', '.info', '.lock', '.tmp', '.bin', '%2ejson', '%00', '~', '.part']

/** The redirects normalize a path with dots. */
const NO_UPLOAD = [404, 400, 403, 405, 301, 307, 308]

/** Hostile paths and ids. */
export const hostilePaths: Requirement[] = [
  ...IDS.map((id): Requirement => ({
    id: 'EDGE-20',
    title: `${id} is not an upload`,
    async run (t) {
      for (const method of ['HEAD', 'GET', 'DELETE']) {
        t.expect(await t.send(method, t.path(id)), { status: NO_UPLOAD, headers: { 'X-Injected': null } })
      }
      t.expect(await t.patch(t.path(id), 0, 'abc'), { status: NO_UPLOAD })
    }
  })),
  ...['%zz', '%e4%b8', '%'].map((id): Requirement => ({
    id: 'EDGE-21',
    title: `${id}, a malformed escape, is not found or a bad request`,
    async run (t) {
      t.expect(await t.get(t.path(id)), { status: ['4xx'] })
      t.expect(await t.patch(t.path(id), 0, 'abc'), { status: ['4xx'] })
    }
  })),
  {
    id: 'EDGE-22',
    title: 'an id of more than 100 characters is not found',
    async run (t) {
      for (const length of [101, 300, 4000]) {
        t.expect(await t.head(t.path('a'.repeat(length))), { status: [404, 414, 400] })
      }
    }
  },
  ...SIDECARS.map((suffix): Requirement => ({
    id: 'EDGE-23',
    title: `an upload URL with the suffix ${suffix} is not an upload`,
    async run (t) {
      const upload = await t.finished()
      for (const method of ['HEAD', 'GET', 'DELETE']) {
        t.expect(await t.send(method, upload + suffix), { status: [404, 400, 403, 405] })
      }
      await t.expectOffset(upload, 3)
    }
  })),
  {
    id: 'EDGE-24',
    title: 'a query string on an upload URL changes nothing',
    async run (t) {
      const upload = await t.create({ length: 3 })
      for (const query of ['?token=1', '?', '?x=/files/nope']) await t.expectOffset(upload + query, 0)
      t.expectAppended(await t.patch(`${upload}?token=1`, 0, 'abc'), 3)
    }
  },
  {
    id: 'EDGE-24',
    title: 'an id in the query string is ignored',
    async run (t) {
      const upload = await t.create({ length: 3 })
      t.expect(await t.head(`${t.path('nope')}?x=${upload}`), { status: [404], headers: { 'Upload-Offset': null } })
    }
  },
  {
    id: 'EDGE-24',
    title: 'a query string on the creation URL changes nothing',
    needs: ['creation'],
    async run (t) {
      const headers = { 'Upload-Length': '3' }
      const response = await t.send('POST', `${t.endpoint}?token=1`, { headers })
      t.expect(response, { status: [201], headers: { Location: /^[^?]+$/ } })
      await t.expectOffset(t.located(response), 0)
    }
  },
  {
    id: 'EDGE-25',
    title: 'an upload URL with a trailing slash is served or not found, never redirected',
    async run (t) {
      const upload = await t.create({ length: 3 })
      const response = await t.head(`${upload}/`)
      t.check([200, 204, 404].includes(response.status as number), '200, 204 or 404', response)
    }
  },
  {
    id: 'EDGE-25',
    title: 'the creation URL with or without a trailing slash is served or not found, never redirected',
    needs: ['creation'],
    async run (t) {
      const other = t.endpoint.endsWith('/') ? t.endpoint.slice(0, -1) : `${t.endpoint}/`
      const response = await t.send('POST', other, { headers: { 'Upload-Length': '3' } })
      t.check([201, 404, 405].includes(response.status as number), '201, 404 or 405', response)
      if (response.status === 201) await t.expectOffset(t.located(response), 0)
    }
  },
  {
    id: 'EDGE-26',
    title: 'an id under another path is not an upload',
    async run (t) {
      const upload = await t.create({ length: 3 })
      const id = upload.slice(upload.lastIndexOf('/') + 1)
      for (const path of [`/evil/path/${id}`, `/evil${upload}`, `${t.path('evil')}/${id}`, `${upload}/${id}`]) {
        t.expect(await t.head(path), { status: [404, 400, 403, 405], headers: { 'Upload-Offset': null } })
      }
    }
  },
  {
    id: 'EDGE-27',
    title: 'ids are case-sensitive',
    async run (t) {
      const upload = await t.create({ length: 3 })
      const id = upload.slice(upload.lastIndexOf('/') + 1)
      const other = id === id.toLowerCase() ? id.toUpperCase() : id.toLowerCase()
      if (other === id) t.skip('the id has no letters')
      t.expect(await t.head(t.path(other)), { status: [404, 400, 403] })
    }
  }
]
