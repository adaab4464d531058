import t from 'tap'
import type { Test } from 'tap'
import { TUS_METHODS, TUS_REQUEST_HEADERS, TUS_RESPONSE_HEADERS } from '../../plugin/index.ts'
import type { CorsOptions } from '../../plugin/index.ts'
import { build } from '../helper.ts'

const origin = 'https://app.example'
/** As browsers send it before a PATCH of tus-js-client. */
const preflight = {
  origin,
  'access-control-request-method': 'PATCH',
  'access-control-request-headers': 'content-type,tus-resumable,upload-offset'
}

const listOf = (header: unknown) => String(header).split(', ')
const corsHeadersOf = (headers: object) => Object.keys(headers).filter((name) => name.startsWith('access-control-'))

function buildWith (t: Test, options: CorsOptions): ReturnType<typeof build> {
  return build(t, { cors: options })
}

t.test('CORS-01 CORS-02 a preflight of any origin succeeds, without a version and without authorization', async (t) => {
  const { app, create } = await build(t, { authorize: () => false })
  for (const url of ['/files', '/files/anything']) {
    const { statusCode, headers, body } = await app.inject({ method: 'OPTIONS', url, headers: preflight })
    t.equal(statusCode, 204)
    t.equal(body, '')
    t.equal(headers['access-control-allow-origin'], '*')
    t.same(listOf(headers['access-control-allow-methods']), TUS_METHODS)
    t.same(listOf(headers['access-control-allow-headers']), TUS_REQUEST_HEADERS)
    t.equal(headers['access-control-max-age'], '86400')
    t.notOk('access-control-allow-credentials' in headers)
    t.notOk('access-control-expose-headers' in headers)
    t.notOk('vary' in headers, 'the response is the same for all')
  }
  await t.rejects(create(3), /403/)
})

t.test('CORS-02 the lists contain the headers that browser clients use', async (t) => {
  const has = (list: readonly string[], names: string[]) => t.same(names.filter((name) => !list.includes(name)), [])
  has(TUS_METHODS, ['POST', 'GET', 'HEAD', 'PATCH', 'DELETE', 'OPTIONS'])
  has(TUS_REQUEST_HEADERS, [
    'Authorization', 'Content-Type', 'Tus-Resumable', 'Upload-Length', 'Upload-Offset', 'Upload-Metadata',
    'Upload-Defer-Length', 'Upload-Concat', 'Upload-Checksum', 'X-HTTP-Method-Override', 'X-Requested-With',
    'X-Request-ID'
  ])
  has(TUS_RESPONSE_HEADERS, [
    'Location', 'Upload-Offset', 'Upload-Length', 'Upload-Defer-Length', 'Upload-Metadata', 'Upload-Concat',
    'Upload-Expires', 'Tus-Resumable', 'Tus-Version', 'Tus-Extension', 'Tus-Max-Size', 'Tus-Checksum-Algorithm',
    'Retry-After'
  ])
})

t.test('CORS-01 X-HTTP-Method-Override does not affect a preflight', async (t) => {
  const { app, create, head } = await build(t)
  const location = await create(3)
  const headers = { ...preflight, 'tus-resumable': '1.0.0', 'x-http-method-override': 'DELETE' }
  t.equal((await app.inject({ method: 'OPTIONS', url: location, headers })).statusCode, 204)
  t.equal((await head(location)).statusCode, 200, 'the upload still exists')
})

t.test('CORS-03 responses expose the tus headers, errors too', async (t) => {
  const { app, post, head, patch, request } = await build(t)
  const created = await post({ 'upload-length': '3', origin })
  const location = created.headers.location as string
  const responses = [
    created,
    await head(location, { origin }),
    await patch(location, 7, 'abc', { origin }),
    await patch(location, 0, 'abc', { origin }),
    await app.inject({ url: location, headers: { origin } }),
    await head('/files/nothing', { origin }),
    await request('PUT', location, { origin }),
    await app.inject({ method: 'OPTIONS', url: '/files', headers: { origin } }),
    await app.inject({ method: 'POST', url: '/files', headers: { origin } })
  ]
  t.same(responses.map(({ statusCode }) => statusCode), [201, 200, 409, 204, 200, 404, 405, 204, 412])
  for (const { headers } of responses) {
    t.equal(headers['access-control-allow-origin'], '*')
    t.same(listOf(headers['access-control-expose-headers']), TUS_RESPONSE_HEADERS)
    t.notOk('access-control-allow-methods' in headers)
  }
})

const lists: Array<[name: string, origin: Exclude<CorsOptions['origin'], undefined>]> = [
  ['a list', ['https://other.example', origin]],
  ['a function', (asking) => asking === origin]
]
for (const [name, allowed] of lists) {
  t.test(`CORS-04 ${name} of origins allows those and no others`, async (t) => {
    const { app, post } = await buildWith(t, { origin: allowed })
    const ask = (asking: string) =>
      app.inject({ method: 'OPTIONS', url: '/files', headers: { ...preflight, origin: asking } })

    for (const { headers } of [await ask(origin), await post({ 'upload-length': '3', origin })]) {
      t.equal(headers['access-control-allow-origin'], origin)
      t.equal(headers.vary, 'Origin')
      t.notOk('access-control-allow-credentials' in headers)
    }
    for (const asking of ['https://evil.example', `${origin}.evil.example`, 'null', '*', origin.toUpperCase()]) {
      for (const { statusCode, headers } of [await ask(asking), await post({ 'upload-length': '3', origin: asking })]) {
        t.ok(statusCode < 300, 'it is the browser that withholds the response from the page')
        t.same(corsHeadersOf(headers), [], asking)
        t.equal(headers.vary, 'Origin', 'a cache must not reuse this response for others')
      }
    }
    const { headers } = await post({ 'upload-length': '3' })
    t.same(corsHeadersOf(headers), [])
    t.equal(headers.vary, 'Origin')
  })
}

t.test('CORS-04 credentials are allowed for allowed origins', async (t) => {
  const { app, post } = await buildWith(t, { origin: [origin], credentials: true })
  const asked = await app.inject({ method: 'OPTIONS', url: '/files', headers: preflight })
  const created = await post({ 'upload-length': '3', origin })
  for (const { headers } of [asked, created]) {
    t.equal(headers['access-control-allow-credentials'], 'true')
    t.equal(headers['access-control-allow-origin'], origin)
  }
  t.same(corsHeadersOf((await post({ 'upload-length': '3', origin: 'https://evil.example' })).headers), [])
})

t.test('CORS-04 a function allows an origin only by returning true', async (t) => {
  for (const said of [undefined, null, 0, '', 'no', 1, {}, Promise.resolve(false), Promise.resolve(true)]) {
    const { post } = await buildWith(t, { origin: () => said as boolean })
    t.same(corsHeadersOf((await post({ 'upload-length': '3', origin })).headers), [], String(said))
  }
})

t.test('CORS-04 a function that throws allows no origin, and the reason is not disclosed', async (t) => {
  const { app, post, logs } = await buildWith(t, { origin: () => { throw new Error('no connection to 10.0.0.7') } })
  const asked = await app.inject({ method: 'OPTIONS', url: '/files', headers: preflight })
  const created = await post({ 'upload-length': '3', origin })
  for (const { headers, body } of [asked, created]) {
    t.same(corsHeadersOf(headers), [])
    t.notMatch(body, '10.0.0.7')
  }
  t.match(logs.find(({ err }) => err !== undefined), { err: { message: 'no connection to 10.0.0.7' } })
})

t.test('CORS-02 CORS-03 headers of the app, and its maximum age, are added', async (t) => {
  const { app, post } = await buildWith(t, { allowedHeaders: ['X-Tenant'], exposedHeaders: ['X-Video'], maxAge: 5 })
  const { headers } = await app.inject({ method: 'OPTIONS', url: '/files', headers: preflight })
  t.same(listOf(headers['access-control-allow-headers']), [...TUS_REQUEST_HEADERS, 'X-Tenant'])
  t.equal(headers['access-control-max-age'], '5')
  const created = await post({ 'upload-length': '3', origin })
  t.same(listOf(created.headers['access-control-expose-headers']), [...TUS_RESPONSE_HEADERS, 'X-Video'])
})
