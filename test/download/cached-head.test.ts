import http from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { Upload } from 'tus-js-client'
import { build } from '../helper.ts'
import { finished } from './files.ts'

t.test('the status of a GET that may have been a HEAD is never 404 for an unfinished upload', async (t) => {
  const built = await build(t)
  const part = await built.create(3, { 'upload-concat': 'partial' })
  await built.patch(part, 0, 'abc')
  for (const url of [await built.create(6), part]) {
    const response = await built.request('GET', url)
    t.match(response.json(), { statusCode: 423, code: 'FST_TUS_NOT_FINISHED', message: 'Upload not finished' })
    t.match(response.headers, { 'retry-after': '1', 'cache-control': 'no-store' })
    t.equal((await built.app.inject(url)).statusCode, 404, 'this is no request of a tus client')
    t.equal((await built.request('GET', url, { range: 'bytes=0-' })).statusCode, 404, 'nor is a range')
  }
  t.equal((await built.request('GET', await finished(built, 'abc'))).statusCode, 200)
  t.equal((await built.request('GET', '/files/unknown')).statusCode, 404, 'a missing upload is not found')
})

t.test('nor does it get a body that stays open if the upload may be read while it grows', async (t) => {
  const built = await build(t, { download: { growing: true } })
  const url = await built.create(6)
  await built.patch(url, 0, 'abc')
  const response = await built.request('GET', url)
  t.match(response.json(), { statusCode: 423, code: 'FST_TUS_NOT_FINISHED' })
  const base = await built.listen()
  const read = async (target: string, headers = {}) => {
    const response = await fetch(`${base}${target}`, { headers })
    return { status: response.status, text: await response.text() }
  }
  const tus = { 'tus-resumable': '1.0.0' }
  const reads = Promise.all([read(url, { ...tus, range: 'bytes=1-4' }), read(`${url}?from=2`, tus), read(url)])
  await built.patch(url, 3, 'def')
  t.same(await reads, [{ status: 206, text: 'bcde' }, { status: 200, text: 'cdef' }, { status: 200, text: 'abcdef' }])
})

t.test('tus-js-client does not start from zero behind a proxy that turns HEAD into GET', async (t) => {
  const built = await build(t)
  const base = await built.listen()
  const methods: string[] = []
  const proxy = http.createServer((request, response) => {
    const { method = '', url, headers } = request
    methods.push(method)
    const forwarded = http.request(`${base}${url}`, { method: method === 'HEAD' ? 'GET' : method, headers }, (answer) => {
      response.writeHead(Number(answer.statusCode), answer.headers)
      answer.pipe(response)
    })
    request.pipe(forwarded)
  })
  t.teardown(() => { proxy.closeAllConnections() })
  proxy.listen(0, '127.0.0.1')
  t.teardown(() => proxy.close())
  await once(proxy, 'listening')
  const url = await built.create(6)
  await built.patch(url, 0, 'abc')
  const origin = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  const error = await new Promise<Error>((resolve) => {
    new Upload(Buffer.from('abcdef'), {
      endpoint: `${origin}/files`, uploadUrl: `${origin}${url}`, retryDelays: [0], onError: resolve
    }).start()
  })
  t.match(error.message, /locked/)
  t.same(methods, ['HEAD', 'HEAD'])
})
