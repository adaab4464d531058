import t from 'tap'
import { build } from '../helper.ts'

const length = { 'upload-length': '3' }

t.test('CREATE-01 EDGE-65 Location is a path by default, whatever the request says of hosts', async (t) => {
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

t.test('EDGE-63 EDGE-64 what a proxy says is believed where the app trusts it, and only there', async (t) => {
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

t.test('EDGE-66 publicUrl is what clients see where a proxy rewrites paths', async (t) => {
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
