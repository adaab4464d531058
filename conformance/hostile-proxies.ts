import { header } from './expectation.ts'
import { expired } from './expiration.ts'
import type { Requirement } from './suite.ts'

const needs = ['creation']

/** Proxies, URLs, protocols and caches. */
export const hostileProxies: Requirement[] = [
  ...['https,http,', 'gopher', '', 'javascript:', 'https, https'].map((value): Requirement => ({
    id: 'EDGE-63',
    title: `X-Forwarded-Proto: ${value || '(empty)'} is accepted`,
    needs,
    async run (t) {
      const headers = { 'X-Forwarded-Proto': value }
      const response = await t.post({ length: 3, headers })
      t.expect(response, { status: [201], headers: { Location: /^(\/|https?:\/\/)[^,]+$/ } })
      t.expect(await t.head(t.located(response), { headers }), { status: [200, 204] })
    }
  })),
  {
    id: 'EDGE-64',
    title: 'lists in forwarding headers do not end up in Location',
    needs,
    async run (t) {
      const response = await t.post({
        length: 3,
        headers: {
          'X-Forwarded-Proto': 'https, http',
          'X-Forwarded-Host': 'a.example, b.example',
          Forwarded: 'for=1.2.3.4;host=c.example;proto=https, for=5.6.7.8'
        }
      })
      t.expect(response, { status: [201], headers: { Location: /^[^,]+$/ } })
      await t.expectOffset(t.located(response), 0)
    }
  },
  {
    id: 'EDGE-65',
    title: 'a foreign Host does not end up in Location',
    needs,
    async run (t) {
      const response = await t.post({ length: 3, headers: { Host: 'evil.example' } })
      // A server with virtual hosts may refuse an unknown one.
      if (response.status !== 201) return t.expect(response, { status: ['4xx'] })
      t.expect(response, { status: [201], headers: { Location: /^(?!.*evil\.example)/ } })
      t.located(response)
    }
  },
  {
    id: 'EDGE-67',
    title: 'Location is a path',
    needs,
    choice: true,
    async run (t) {
      const response = await t.post({ length: 3 })
      t.expect(response, { status: [201], headers: { Location: /^\/[^/]/ } })
      t.located(response)
    }
  },
  {
    id: 'EDGE-68',
    title: 'HTTP/2: Location is the URL of the upload, without connection headers',
    needs,
    only: 'h2',
    async run (t) {
      const response = await t.post({ length: 3 })
      t.expect(response, {
        status: [201], headers: { Location: /^(?!.*\b(null|undefined)\b)./, Connection: null, 'Transfer-Encoding': null }
      })
      await t.expectOffset(t.located(response), 0)
    }
  },
  {
    id: 'EDGE-69',
    title: 'HTTP/1.0 without Host: Location is the URL of the upload',
    needs,
    only: 'http/1.1',
    async run (t) {
      const options = { version: '1.0' as const, headers: { Host: null } }
      const response = await t.post({ ...options, length: 3, headers: { ...options.headers, 'Upload-Length': '3' } })
      t.expect(response, { status: [201], headers: { Location: /^(?!.*\b(null|undefined)\b)./ } })
      const upload = t.located(response)
      t.expect(await t.head(upload, options), { status: [200, 204], headers: { 'Upload-Offset': '0' } })
      t.expectAppended(await t.patch(upload, 0, 'abc', options), 3)
    }
  },
  {
    id: 'EDGE-69',
    title: 'HTTP/1.0: no interim response, and the connection is closed afterwards',
    needs,
    only: 'http/1.1',
    async run (t) {
      const upload = await t.create({ length: 3 })
      const on = await t.connect()
      const headers = { Expect: '100-continue' }
      const response = await t.patch(upload, 0, 'abc', { version: '1.0', headers, on })
      t.expect(response, { status: [204] })
      t.check(response.interim.length === 0, 'no interim response', response)
      t.expect(await t.send('OPTIONS', t.endpoint, { on }), { status: ['closed'] })
    }
  },
  {
    id: 'EDGE-70',
    title: 'the response to a refused HEAD must not be cached',
    async run (t) {
      const response = await t.head(t.unknown)
      t.expect(response, { status: [404, 410, 403], headers: { 'Cache-Control': /\bno-store\b/ } })
    }
  },
  {
    id: 'EDGE-70',
    title: 'the response to HEAD on an expired upload must not be cached',
    needs: ['expiration'],
    async run (t) {
      const created = await t.post({ length: 6 })
      await expired(t, created)
      const response = await t.head(t.located(created))
      t.expect(response, { status: [410, 404], headers: { 'Cache-Control': /\bno-store\b/ } })
    }
  },
  {
    id: 'EDGE-72',
    title: 'no upload URL redirects a PATCH with a status that drops the body',
    async run (t) {
      const upload = await t.create({ length: 3 })
      for (const target of [upload, `${upload}/`, `${upload}?a=b`, t.unknown]) {
        const response = await t.patch(target, 0, '')
        t.check(![301, 302, 303].includes(response.status as number), 'no 301, 302 or 303', response)
      }
    }
  },
  {
    id: 'EDGE-74',
    title: 'an upload of the maximum length, or of 1 TiB, is created without reserving space',
    needs,
    async run (t) {
      const length = t.features.maxSize ?? 2 ** 40
      const upload = await t.create({ length })
      await t.expectHead(upload, { 'Upload-Offset': '0', 'Upload-Length': String(length) })
    }
  },
  {
    id: 'EDGE-80',
    title: 'an error response is short and reveals no internals',
    async run (t) {
      const upload = await t.create({ length: 3 })
      for (const response of [
        await t.get(t.unknown),
        await t.patch(t.unknown, 0, 'abc'),
        await t.get(t.path('..%2f..%2fetc%2fpasswd')),
        await t.get(t.path('%00')),
        await t.get(t.path('a'.repeat(300))),
        await t.patch(upload, 2, 'abc'),
        await t.patch(upload, 0, 'abcd'),
        await t.patch(upload, 0, 'abc', { headers: { 'Content-Type': 'text/plain' } }),
        await t.post({ length: 3, headers: { 'Upload-Length': '-1' } }),
        await t.post({ length: 3, metadata: 'a b c d' }),
        await t.send('PUT', upload)
      ]) {
        t.expect(response, { status: ['4xx', '2xx', '5xx'] })
        t.check(response.body.length <= 1024, 'a body of at most 1 KiB', response)
        const text = response.body.toString()
        t.check(!/\bE[A-Z]{4,}\b|^[ \t]+at .*:\d+:\d+|node_modules|\/(home|usr|var|tmp)\//m.test(text), 'no internals', response)
        const type = header(response, 'content-type') ?? 'text/plain'
        t.check(/^(text\/plain|application\/(problem\+)?json)\b/.test(type), 'plain text or JSON', response)
      }
    }
  }
]
