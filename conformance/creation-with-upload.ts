import { chunked, partOf } from './transport.ts'
import type { Requirement } from './suite.ts'

const needs = ['creation-with-upload']

/** creation-with-upload: a POST with the first bytes of the upload. */
export const creationWithUpload: Requirement[] = [
  {
    id: 'CWU-01',
    title: 'creation-with-upload is advertised together with creation',
    needs,
    async run (t) {
      t.check(t.offers('creation'), 'Tus-Extension with creation', t.features.options)
    }
  },
  {
    id: 'CWU-02',
    title: 'the creation may include a part of the file',
    needs,
    async run (t) {
      const response = await t.post({ length: 10, body: 'abcd' })
      t.expect(response, { status: [201], headers: { Location: /./, 'Upload-Offset': '4' } })
      await t.expectOffset(t.located(response), 4)
    }
  },
  {
    id: 'CWU-03',
    title: 'the creation may include the complete file',
    needs,
    async run (t) {
      for (const body of ['abcdef', chunked(['abc', 'def'])]) {
        const response = await t.post({ length: 6, body })
        t.expect(response, { status: [201], headers: { Location: /./, 'Upload-Offset': '6' } })
        const upload = t.located(response)
        await t.expectHead(upload, { 'Upload-Offset': '6', 'Upload-Length': '6' })
        await t.expectContent(upload, 'abcdef')
      }
    }
  },
  {
    id: 'CWU-03',
    title: 'the creation may include a part of a file of unknown length',
    needs: [...needs, 'creation-defer-length'],
    async run (t) {
      const response = await t.post({ body: chunked(['abc', 'def']) })
      t.expect(response, { status: [201], headers: { Location: /./, 'Upload-Offset': '6' } })
      await t.expectHead(t.located(response), { 'Upload-Offset': '6', 'Upload-Defer-Length': '1' })
    }
  },
  ...['abcd', chunked(['ab', 'cd'])].map((body): Requirement => ({
    id: 'CWU-04',
    title: `${typeof body === 'string' ? 'a body' : 'a chunked body'} beyond the length creates no upload`,
    needs,
    async run (t) {
      t.expect(await t.post({ length: 3, body }), { status: [413], headers: { Location: null } })
    }
  })),
  {
    id: 'CWU-05',
    title: 'a length above the maximum is refused before the body, without 100 Continue',
    needs,
    async run (t) {
      const maxSize = t.orSkip(t.features.maxSize, 'no Tus-Max-Size')
      const response = await t.post({
        length: maxSize + 1, body: partOf(maxSize + 1), headers: { Expect: '100-continue' }
      })
      t.expect(response, { status: [413], headers: { Location: null } })
      t.check(response.interim.length === 0, 'no interim response', response)
    }
  },
  {
    id: 'CWU-05',
    title: 'an acceptable request receives 100 Continue before its body',
    needs,
    async run (t) {
      const exchange = await t.open('POST', t.endpoint, {
        headers: {
          'Upload-Length': '3', 'Content-Type': 'application/offset+octet-stream', Expect: '100-continue'
        },
        body: partOf(3)
      })
      await exchange.interim(10_000)
      await exchange.write('abc')
      exchange.end()
      const response = await t.answer(exchange)
      t.expect(response, { status: [201], headers: { Location: /./, 'Upload-Offset': '3' } })
      t.check(response.interim[0]?.status === 100, '100 Continue before the body', response)
      t.located(response)
    }
  }
]
