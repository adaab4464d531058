import { header, headerLines, list } from './expectation.ts'
import type { Server } from './server.ts'
import type { Requirement } from './suite.ts'
import type { WireResponse } from './transport.ts'

const ORIGIN = 'https://example.com'

const METHODS = ['POST', 'GET', 'HEAD', 'PATCH', 'DELETE', 'OPTIONS']

const REQUEST_HEADERS = [
  'Authorization', 'Content-Type', 'Tus-Resumable', 'Upload-Length', 'Upload-Offset', 'Upload-Metadata',
  'X-HTTP-Method-Override', 'X-Requested-With', 'X-Request-ID'
]

const RESPONSE_HEADERS = [
  'Location', 'Upload-Offset', 'Upload-Length', 'Upload-Metadata', 'Tus-Resumable', 'Tus-Version', 'Tus-Extension',
  'Tus-Max-Size'
]

/** Required only if the server has the extension; in strict mode always required. */
const OF_EXTENSIONS = {
  request: {
    'creation-defer-length': 'Upload-Defer-Length', concatenation: 'Upload-Concat', checksum: 'Upload-Checksum'
  },
  response: {
    'creation-defer-length': 'Upload-Defer-Length',
    concatenation: 'Upload-Concat',
    expiration: 'Upload-Expires',
    checksum: 'Tus-Checksum-Algorithm'
  }
}

/** CORS: the needs of pages of other origins. */
export const cors: Requirement[] = [
  {
    id: 'CORS-01',
    title: 'a preflight without a version returns the allowed origin and methods',
    async run (t) {
      for (const target of [t.endpoint, await t.create({ length: 3 })]) {
        const response = await preflight(t, target)
        t.expect(response, {
          status: [204, 200],
          headers: { 'Access-Control-Allow-Origin': /^(\*|https:\/\/example\.com)$/ },
          strictly: { 'Access-Control-Allow-Origin': '*', 'Access-Control-Max-Age': /^\d+$/ }
        })
        // POST, GET and HEAD are CORS-safelisted methods: pages may always use them.
        const needed = t.strict ? METHODS : ['PATCH', 'DELETE']
        contains(t, response, 'access-control-allow-methods', needed)
      }
    }
  },
  {
    id: 'CORS-02',
    title: 'a preflight allows the request headers that clients use',
    async run (t) {
      const needed = [...REQUEST_HEADERS, ...ofExtensions(t, 'request')]
      contains(t, await preflight(t, t.endpoint), 'access-control-allow-headers', needed)
    }
  },
  {
    id: 'CORS-03',
    title: 'successful responses expose the response headers that clients read',
    async run (t) {
      await preflight(t, t.endpoint)
      const headers = { Origin: ORIGIN }
      const created = await t.post({ length: 3, headers })
      const upload = t.located(created)
      for (const response of [
        created, await t.head(upload, { headers }), await t.patch(upload, 0, 'abc', { headers })
      ]) {
        t.expect(response, { status: ['2xx'], headers: { 'Access-Control-Allow-Origin': /./ } })
        exposes(t, response)
      }
    }
  },
  {
    id: 'CORS-03',
    title: 'refusals expose the response headers that clients read',
    async run (t) {
      await preflight(t, t.endpoint)
      const upload = await t.create({ length: 3 })
      const headers = { Origin: ORIGIN }
      for (const response of [
        await t.head(t.unknown, { headers }),
        await t.patch(upload, 1, 'bc', { headers }),
        await t.patch(upload, 0, 'abc', { headers: { ...headers, 'Content-Type': 'text/plain' } }),
        await t.patch(upload, 0, 'abcd', { headers }),
        await t.post({ length: 3, headers: { ...headers, 'Tus-Resumable': '0.2.2' } }),
        await t.send('PUT', upload, { headers })
      ]) {
        // Other requirements check the status.
        t.expect(response, { status: ['4xx', '2xx', '5xx'], headers: { 'Access-Control-Allow-Origin': /./ } })
        exposes(t, response)
      }
    }
  },
  {
    id: 'CORS-03',
    title: 'pages of other origins may read a download',
    async run (t) {
      await preflight(t, t.endpoint)
      await t.needsDownloads()
      const response = await t.get(await t.finished(), { headers: { Origin: ORIGIN } })
      t.expect(response, { status: [200], headers: { 'Access-Control-Allow-Origin': /./ } })
    }
  },
  {
    id: 'CORS-04',
    title: 'an echoed origin comes with Vary: Origin, and * without credentials',
    async run (t) {
      await preflight(t, t.endpoint)
      const response = await t.post({ length: 3, headers: { Origin: ORIGIN } })
      if (header(response, 'access-control-allow-origin') === '*') {
        t.expect(response, { status: [201], headers: { 'Access-Control-Allow-Credentials': null } })
      } else {
        t.expect(response, { status: [201], headers: { Vary: /\b(Origin|\*)/i } })
      }
    }
  },
  {
    id: 'CORS-05',
    title: 'no CORS header is repeated',
    async run (t) {
      const responses = [await preflight(t, t.endpoint), await t.post({ length: 3, headers: { Origin: ORIGIN } })]
      for (const response of responses) {
        const names = ['origin', 'methods', 'headers'].map(name => `access-control-allow-${name}`)
        const twice = [...names, 'access-control-expose-headers'].filter(name => headerLines(response, name).length > 1)
        t.check(twice.length === 0, 'each header once', response)
      }
    }
  }
]

/** Sends a preflight. Skips if the server does not support CORS. */
async function preflight (t: Server, target: string): Promise<WireResponse> {
  const response = await t.send('OPTIONS', target, {
    headers: {
      'Tus-Resumable': null,
      Origin: ORIGIN,
      'Access-Control-Request-Method': 'PATCH',
      'Access-Control-Request-Headers': REQUEST_HEADERS.join(', ').toLowerCase()
    }
  })
  if (header(response, 'access-control-allow-origin') === undefined) t.skip('the server does not support CORS')
  return response
}

function ofExtensions (t: Server, direction: keyof typeof OF_EXTENSIONS): string[] {
  return Object.entries(OF_EXTENSIONS[direction])
    .filter(([extension]) => t.strict || t.offers(extension))
    .map(([, name]) => name)
}

function exposes (t: Server, response: WireResponse): void {
  contains(t, response, 'access-control-expose-headers', [...RESPONSE_HEADERS, ...ofExtensions(t, 'response')])
}

function contains (t: Server, response: WireResponse, name: string, needed: string[]): void {
  const there = list(response, name).map(member => member.toLowerCase())
  const missing = needed.filter(member => !there.includes('*') && !there.includes(member.toLowerCase()))
  t.check(missing.length === 0, `${name} with ${missing.join(', ') || 'all required names'}`, response)
}
