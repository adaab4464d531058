import { chunked, partOf } from '../transport.ts'
import { fields, refused, Speaker } from './requests.ts'
import type { Requirement } from '../suite.ts'

/** Creation (4.2). */
export const creation: Requirement[] = [
  {
    id: 'RUFH-23',
    title: 'a creation with ?0 returns 201, Location and the offset',
    async run (t) {
      const response = await new Speaker(t).post(false, 'abcde')
      t.expect(response, {
        status: [201],
        headers: { Location: /./, 'Upload-Complete': '?0', 'Upload-Limit': /./ },
        strictly: { 'Upload-Offset': '5' }
      })
      await new Speaker(t).expectState(t.located(response), 5, false)
    }
  },
  {
    id: 'RUFH-24',
    title: 'a creation with ?0 and no content makes the URL only',
    async run (t) {
      const speaker = new Speaker(t)
      await speaker.expectState(await speaker.create(), 0, false)
    }
  },
  {
    id: 'RUFH-25',
    title: 'a creation with ?1 and no content is a complete empty representation',
    async run (t) {
      const response = await new Speaker(t).post(true)
      t.expect(response, { status: [201, '2xx'], headers: { 'Upload-Complete': '?1' } })
    }
  },
  {
    id: 'RUFH-26',
    title: 'a creation with ?1 and all content gets the response of the resource',
    async run (t) {
      for (const body of ['abcde', chunked(['abc', 'de'])]) {
        const response = await new Speaker(t).post(true, body)
        t.expect(response, { status: [201, '2xx'], headers: { 'Upload-Complete': '?1' } })
      }
    }
  },
  {
    id: 'RUFH-28',
    title: 'Upload-Length of a creation is recorded',
    async run (t) {
      const speaker = new Speaker(t)
      const upload = await speaker.create('abc', { 'Upload-Length': '100' })
      t.expect(await speaker.head(upload), { status: [204, 200], headers: { 'Upload-Length': '100' } })
    }
  },
  {
    id: 'RUFH-32',
    title: 'a refused creation says that the upload is not complete',
    async run (t) {
      const speaker = new Speaker(t)
      refused(t, await speaker.post(undefined, 'abc'), 400)
      refused(t, await speaker.post(true, 'abc', { 'Upload-Length': '5' }), 400)
    }
  },
  {
    id: 'RUFH-35',
    title: 'a creation with PUT at the creation URL is refused',
    choice: true,
    async run (t) {
      const response = await t.send('PUT', t.endpoint, { body: 'abc', headers: fields(9, true) })
      t.expect(response, { status: [405], headers: { Allow: /\bPOST\b/, 'Upload-Complete': '?0' } })
    }
  },
  {
    id: 'RUFH-35',
    title: 'a creation at the URL of an upload is refused, and changes nothing',
    choice: true,
    async run (t) {
      const speaker = new Speaker(t)
      const upload = await speaker.create('abc')
      for (const method of ['POST', 'PUT']) {
        const response = await t.send(method, upload, { body: 'xyz', headers: fields(9, true) })
        t.expect(response, { status: [405], headers: { Allow: /\bPATCH\b/, 'Upload-Complete': '?0' } })
      }
      await speaker.expectState(upload, 3, false)
    }
  },
  {
    id: 'RUFH-39',
    title: 'a client that waits for 100 (Continue) gets it, also after a 104',
    async run (t) {
      const exchange = await new Speaker(t).begin(true, partOf(5), { Expect: '100-continue' })
      t.check(await exchange.interim(3000), 'an interim response', 'none')
      await exchange.write('abcde')
      exchange.end()
      const response = await t.answer(exchange)
      t.expect(response, { status: [201, '2xx'], headers: { 'Upload-Complete': '?1' } })
      t.check(response.interim.some(({ status }) => status === 100), '100', response)
    }
  },
  {
    id: 'RUFH-75',
    title: 'offsets count the bytes of the content coding, which is not decoded',
    async run (t) {
      const speaker = new Speaker(t)
      const upload = await speaker.create('not gzip', { 'Content-Encoding': 'gzip' })
      await speaker.expectState(upload, 8, false)
    }
  },
  {
    id: 'RUFH-76',
    title: 'offsets count bytes without the transfer coding',
    async run (t) {
      const speaker = new Speaker(t)
      await speaker.expectState(await speaker.create(chunked(['ab', 'cde'])), 5, false)
    }
  },
  {
    id: 'RUFH-78',
    title: 'the URL of an upload has at least 128 random bits',
    choice: true,
    async run (t) {
      const urls = [await new Speaker(t).create(), await new Speaker(t).create()]
      for (const url of urls) t.check(/[\w-]{22,}$/.test(url), '22 characters or more', url)
      t.check(urls[0] !== urls[1], 'another URL', urls.join(' '))
    }
  }
]
