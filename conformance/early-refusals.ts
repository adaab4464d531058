import { partOf } from './transport.ts'
import type { Requirement } from './suite.ts'

/** A body that takes longer to send than a refusal takes to arrive. */
const LARGE = 8 * 1024 * 1024

const REFUSALS = {
  'a wrong offset': { status: 409, headers: { 'Upload-Offset': '1' } },
  'a wrong media type': { status: 415, headers: { 'Content-Type': 'text/plain' } },
  'a wrong version': { status: 412, headers: { 'Tus-Resumable': '0.2.2' } },
  'a body that is too long': { status: 413, headers: {} }
}

/** Responses before the body has arrived. */
export const earlyRefusals: Requirement[] = [
  {
    id: 'EDGE-37',
    title: 'an acceptable request receives 100 Continue before its body',
    async run (t) {
      const upload = await t.create({ length: 3 })
      const exchange = await t.begin(upload, 0, partOf(3), { headers: { Expect: '100-continue' } })
      await exchange.interim(10_000)
      await exchange.write('abc')
      exchange.end()
      const response = await t.answer(exchange)
      t.expectAppended(response, 3)
      t.check(response.interim[0]?.status === 100, '100 Continue before the body', response)
    }
  },
  ...Object.entries(REFUSALS).map(([name, { status, headers }]): Requirement => ({
    id: 'EDGE-37',
    title: `${name} is refused without 100 Continue`,
    async run (t) {
      const upload = await t.create({ length: 3 })
      const body = partOf(status === 413 ? 4 : 3)
      const response = await t.patch(upload, 0, body, { headers: { ...headers, Expect: '100-continue' } })
      t.expect(response, { status: [status, '4xx'] })
      t.check(response.interim.length === 0, 'no interim response', response)
    }
  })),
  {
    id: 'EDGE-37',
    title: 'an unknown Expect is refused',
    only: 'http/1.1',
    async run (t) {
      const upload = await t.create({ length: 3 })
      t.expect(await t.patch(upload, 0, partOf(3), { headers: { Expect: '200-ok' } }), { status: [417] })
    }
  },
  ...Object.entries(REFUSALS).flatMap(([name, { status, headers }]): Requirement[] => [
    {
      id: 'EDGE-43',
      title: `${name} is refused before the body has arrived`,
      async run (t) {
        const upload = await t.create({ length: 3 })
        const body = partOf(status === 413 ? 100_000 : 3)
        t.expect(await t.patch(upload, 0, body, { headers }), { status: [status, '4xx'] })
      }
    },
    {
      id: 'EDGE-43',
      title: `the refusal of ${name} reaches a client that is still sending`,
      async run (t) {
        const upload = await t.create({ length: 3 })
        t.expect(await t.patch(upload, 0, Buffer.alloc(LARGE), { headers }), { status: [status, '4xx'] })
      }
    },
    {
      id: 'EDGE-43',
      title: `after the refusal of ${name}, the body is not parsed as a request`,
      only: 'http/1.1',
      async run (t) {
        const upload = await t.create({ length: status === 413 ? 3 : 1000 })
        const on = await t.connect()
        const body = `GET ${t.unknown} HTTP/1.1\r\nHost: a\r\n\r\n`
        t.expect(await t.patch(upload, 0, body, { headers, on }), { status: [status, '4xx'] })
        const response = await t.send('OPTIONS', t.endpoint, { on })
        const answered = [204, 200, 'closed'].includes(response.status)
        t.check(answered, 'a response to OPTIONS, or a closed connection', response)
      }
    }
  ])
]
