import t from 'tap'
import { build } from '../helper.ts'
import { rawRequest } from '../raw-request.ts'

const length = { 'upload-length': '3' }

t.test('CREATE-01 EDGE-65 Location is a path by default, whatever hosts the request names', async (t) => {
  const { post } = await build(t)
  const { headers } = await post({
    ...length,
    host: 'evil.example',
    'x-forwarded-host': 'evil.example',
    'x-forwarded-proto': 'https,http',
    forwarded: 'host=evil.example;proto=https'
  })
  t.match(headers.location, /^\/files\/[0-9a-f]{32}$/)
})

t.test('CREATE-01 Location may be absolute', async (t) => {
  const { post } = await build(t, { relativeLocation: false })
  t.match((await post({ ...length, host: 'example.com:8080' })).headers.location,
    /^http:\/\/example\.com:8080\/files\/[0-9a-f]{32}$/)
})

t.test('EDGE-63 EDGE-64 headers of a proxy are used if the app trusts it, and only then', async (t) => {
  const forwarded = {
    ...length,
    host: 'inner.example',
    'x-forwarded-host': 'example.com',
    'x-forwarded-proto': 'https'
  }
  const trusting = await build(t, { relativeLocation: false }, { trustProxy: true })
  t.match((await trusting.post(forwarded)).headers.location, /^https:\/\/example\.com\/files\/[0-9a-f]{32}$/)
  const wary = await build(t, { relativeLocation: false })
  t.match((await wary.post(forwarded)).headers.location, /^http:\/\/inner\.example\/files\/[0-9a-f]{32}$/)
})

t.test('EDGE-66 publicUrl is the base of the URLs if a proxy rewrites paths', async (t) => {
  const cases: Array<[publicUrl: string, location: RegExp]> = [
    ['https://example.com/uploads', /^https:\/\/example\.com\/uploads\/[0-9a-f]{32}$/],
    ['https://example.com/uploads//', /^https:\/\/example\.com\/uploads\/[0-9a-f]{32}$/],
    ['https://example.com', /^https:\/\/example\.com\/[0-9a-f]{32}$/],
    ['/uploads', /^\/uploads\/[0-9a-f]{32}$/],
    ['/', /^\/[0-9a-f]{32}$/]
  ]
  for (const [publicUrl, expected] of cases) {
    for (const relativeLocation of [true, false]) {
      const { post } = await build(t, { publicUrl, relativeLocation })
      t.match((await post({ ...length, host: 'inner.example' })).headers.location, expected, publicUrl)
    }
  }
})

t.test('a parameter of the prefix that would make Location name another place is refused', async (t) => {
  const cases: Array<[prefix: string, refused: string[], accepted: string[]]> = [
    ['/:user', ['/', '/.', '/..', '/%2e%2e'], ['/ann', '/...', '/.ann']],
    ['/:user/files', ['//files', '/%2e/files'], ['/ann/files', '/%2Fevil.example/files']],
    ['/a/:x/:y', ['/a//evil.example', '/a/b/', '/a//'], ['/a/b/c']],
    ['/:x/:y', ['//', '//evil.example'], ['/a/b']]
  ]
  for (const [prefix, refused, accepted] of cases) {
    const { listen, request } = await build(t, { prefix })
    for (const url of refused) {
      for (const headers of [length, { 'upload-concat': 'final;/a/b/c' }]) {
        const all = { 'tus-resumable': '1.0.0', ...headers }
        const { response } = await rawRequest(t, await listen(), 'POST', url, all)
        const reply = await response
        t.equal(reply.status, 404, url)
        t.notOk(reply.headers['location'])
      }
    }
    for (const url of accepted) {
      const { statusCode, headers: { location = '' } } = await request('POST', url, length)
      t.equal(statusCode, 201, url)
      t.match(new URL(String(location), `http://localhost${url}`), { host: 'localhost', pathname: String(location) })
    }
  }
})

const partial = { 'upload-concat': 'partial', 'upload-length': '0' }

for (const [what, host] of [
  ['as the client sent it', 'chat.example.com:1443'],
  ['without its port', 'chat.example.com'],
  ['of the app itself', '127.0.0.1:1080'],
  ['that is invalid', ''],
  ['that is an IPv6 address', '[::1]:1080']
]) {
  t.test(`CONCAT-05 parts are found by their absolute URLs behind a proxy that sends a Host ${what}`, async (t) => {
    const { post } = await build(t)
    const parts: string[] = []
    for (let i = 0; i < 2; i++) {
      const { headers } = await post({ ...partial, host: host as string })
      parts.push(new URL(String(headers.location), 'https://chat.example.com:1443/files').href)
    }
    const concat = `final;${parts.join(' ')}`
    t.equal((await post({ 'upload-concat': concat, host: host as string })).statusCode, 201, concat)
  })
}

t.test('CONCAT-05 EDGE-66 with publicUrl, parts are found below its path and below the prefix', async (t) => {
  for (const [publicUrl, path] of [
    ['https://example.com/uploads', '/uploads'], ['/uploads/', '/uploads'], ['https://example.com', ''], ['/', ''],
    ['https://example.com/a%20b', '/a%20b']
  ] as const) {
    const { post } = await build(t, { publicUrl })
    const id = String((await post(partial)).headers.location).split('/').pop() as string
    const joined = async (url: string) =>
      (await post({ 'upload-concat': `final;${url}`, host: 'inner.example' })).statusCode
    for (const origin of ['', 'https://example.com', 'http://example.com:8080', 'https://user@other.example', '//other']) {
      t.equal(await joined(`${origin}${path}/${id}`), 201, `${publicUrl}: ${origin}${path}`)
      t.equal(await joined(`${origin}/files/${id}`), 201, `${publicUrl}: ${origin}/files`)
      t.equal(await joined(`${origin}/elsewhere/${id}`), 400, `${publicUrl}: ${origin}/elsewhere`)
    }
  }
})

t.test('CONCAT-05 below a prefix with parameters, only parts with the same parameters are found', async (t) => {
  const { request } = await build(t, { prefix: '/users/:user/v:version(^\\d+$)/files' })
  const at = (user: string) => `/users/${user}/v2/files`
  const create = async (user: string) => String((await request('POST', at(user), partial)).headers.location)
  const joined = async (user: string, url: string) =>
    (await request('POST', at(user), { 'upload-concat': `final;${url}`, host: '127.0.0.1' })).statusCode
  // As encoded by browsers, by this server, and in full.
  for (const user of ['ann', 'ann@example.com', 'ann%40example.com', 'a%2Fb', '%C3%BC', '%e4%B8%ad', '%61nn']) {
    const location = await create(user)
    const absolute = new URL(location, 'https://chat.example.com:1443').href
    for (const url of [location, absolute, absolute.replace('%40', '@'), absolute.replaceAll('%', '%25')]) {
      const isOurs = !url.includes('%25')
      t.equal(await joined(user, url), isOurs ? 201 : 400, url)
    }
    t.equal(await joined('bob', absolute), 400, 'not those of others')
    t.equal(await joined(user, absolute.replace('/v2/', '/v3/')), 400)
  }
})

t.test('CONCAT-05 EDGE-76 a URL that names no upload here is refused, whatever it points to', async (t) => {
  const { post } = await build(t)
  const location = String((await post(partial)).headers.location)
  const id = location.split('/').pop() as string
  for (const url of [
    `javascript:${location}`, `file://${location}`, `ftp://example.com${location}`, `\\${location}`, id,
    `https://example.com/${id}`, `https://example.com/other${location}`, `https://example.com${location}/`,
    `https://example.com${location}?a`, `https://example.com${location}#a`, `https://example.com/files//${id}`,
    `https://example.com/files%2F${id}`, 'https://example.com/files/%zz', 'https://example.com/files/', 'http://[::1'
  ]) {
    const answer = await post({ 'upload-concat': `final;${url}` })
    t.match(answer, { statusCode: 400, body: /must list URLs of uploads on this server/ }, url)
  }
})
