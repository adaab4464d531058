import { once } from 'node:events'
import http from 'node:http'
import path from 'node:path'
import t from 'tap'
import { build, OFFSET_OCTET_STREAM, temporaryDirectory, until } from '../../helper.ts'
import { clientAddress } from '../../../plugin/uploads/limits/client-address.ts'

const HOUR = 3_600_000
const expiration = { period: HOUR }

t.test('a client is an IPv4 address, the first 64 bits of an IPv6 address, or whatever a proxy forwards', async (t) => {
  for (const [ip, key] of [
    ['192.0.2.9', '192.0.2.9'],
    ['::ffff:192.0.2.9', '192.0.2.9'],
    ['::FFFF:c000:209', '192.0.2.9'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:DB8:0:0:ffff:ffff:ffff:ffff', '2001:db8:0:0::/64'],
    ['2001:db8:0:1::1', '2001:db8:0:1::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['unknown', 'unknown'],
    ['_hidden', '_hidden'],
    ['', ''],
    [undefined, '']
  ] as Array<[ip: string, key: string]>) t.equal(clientAddress({ ip }), key, ip)
})

t.test('EDGE-73 neither an IPv6 network nor two forms of an IPv4 address exceed perClient.maxUploads', async (t) => {
  const { post } = await build(t, { expiration, perClient: { maxUploads: 2 } }, { trustProxy: true })
  const created = async (addresses: string[]) => {
    const statuses = []
    for (const address of addresses) {
      statuses.push((await post({ 'upload-length': '3', 'x-forwarded-for': address })).statusCode)
    }
    return statuses
  }
  t.same(await created(['2001:db8::1', '2001:db8::2', '2001:db8:0:0:1::3']), [201, 201, 429])
  t.same(await created(['2001:db8:0:1::1']), [201], 'the next network is another client')
  t.same(await created(['192.0.2.9', '::ffff:192.0.2.9', '::ffff:192.0.2.9', '192.0.2.9']), [201, 201, 429, 429])
})

for (const trustProxy of [false, '127.0.0.1', true]) {
  t.test(`EDGE-40 EDGE-73 clients of a Unix socket share the limits, with trustProxy ${trustProxy}`, async (t) => {
    const perClient = { maxUploads: 2, maxBodies: 1 }
    const { app, untilStored } = await build(t, { expiration, perClient }, { trustProxy })
    const socketPath = path.join(await temporaryDirectory(t), 'socket')
    await app.listen({ path: socketPath })
    const open = (method: string, url: string, headers: http.OutgoingHttpHeaders) =>
      http.request({ socketPath, method, path: url, agent: false, headers: { 'tus-resumable': '1.0.0', ...headers } })
    const answered = async (request: http.ClientRequest, body = '') => {
      const [response] = await once(request.end(body), 'response') as [http.IncomingMessage]
      return response.resume()
    }
    const patch = { 'upload-offset': '0', 'content-type': OFFSET_OCTET_STREAM, 'content-length': '3' }

    const first = await answered(open('POST', '/files', { 'upload-length': '3' }))
    const second = await answered(open('POST', '/files', { 'upload-length': '3' }))
    t.match([first.statusCode, second.statusCode], [201, 201])
    t.equal((await answered(open('POST', '/files', { 'upload-length': '3' }))).statusCode, 429)

    const locations = [first.headers.location, second.headers.location] as [string, string]
    const running = open('PATCH', locations[0], patch).on('error', () => {})
    running.write('ab')
    await untilStored(locations[0], 2)
    t.equal((await answered(open('PATCH', locations[1], patch), 'abc')).statusCode, 503)
    running.end('c')
    await until(async () => (await answered(open('PATCH', locations[1], patch), 'abc')).statusCode === 204)
  })
}

t.test('EDGE-73 behind a trusted proxy on a Unix socket, the forwarded address distinguishes clients', async (t) => {
  const perClient = { maxUploads: 1 }
  const { app } = await build(t, { expiration, perClient }, { trustProxy: true })
  const socketPath = path.join(await temporaryDirectory(t), 'socket')
  await app.listen({ path: socketPath })
  const created = async (address: string) => {
    const headers = { 'tus-resumable': '1.0.0', 'upload-length': '3', 'x-forwarded-for': address }
    const request = http.request({ socketPath, method: 'POST', path: '/files', agent: false, headers }).end()
    const [response] = await once(request, 'response') as [http.IncomingMessage]
    return response.resume().statusCode
  }
  t.equal(await created('203.0.113.9'), 201)
  t.equal(await created('203.0.113.9'), 429)
  t.equal(await created('203.0.113.10'), 201)
})
