import type { Requirement } from './suite.ts'

const needs = ['creation']

const DEFERRED = ['0', '2', 'true']

const VIOLATIONS = {
  'an empty pair': 'a YQ==,,b Yg==',
  'a pair of only white space': 'a YQ==, ,b Yg==',
  'a trailing comma': 'a YQ==,',
  'two spaces in a pair': 'a  YQ==',
  'two values for a key': 'a YQ== YQ==',
  'a duplicate key': 'a YQ==,a Yg==',
  'a value that is not base64': 'a !!!!'
}

const HOSTILE_NAME = Buffer.from('a"b\\c\r\nX-Injected: yes\r\n\u4e2d\u6587.html').toString('base64')
const HOSTILE_TYPE = Buffer.from('text/html\r\nX-Injected: yes').toString('base64')
const DISPOSITION = /^[a-z]+(\s*;\s*[\w*]+=("(?:[^"\\]|\\.)*"|[^\s";]+))*$/i

/** POST: creating an upload. */
export const creation: Requirement[] = [
  {
    id: 'CREATE-01',
    title: 'Location is the URL of the new upload',
    needs,
    async run (t) {
      const response = await t.post({ length: 100 })
      t.expect(response, { status: [201], headers: { Location: /./ }, strictly: { Location: /^\/[^/]/ } })
      await t.expectHead(t.located(response), { 'Upload-Offset': '0', 'Upload-Length': '100' })
    }
  },
  {
    id: 'CREATE-01',
    title: 'each upload has its own URL',
    needs,
    async run (t) {
      const first = await t.create({ length: 3 })
      const second = await t.create({ length: 3 })
      t.check(first !== second, `a URL other than ${first}`, second)
    }
  },
  {
    id: 'CREATE-02',
    title: 'POST without a known or deferred length is refused',
    needs,
    async run (t) {
      t.expect(await t.send('POST', t.endpoint), { status: [400], headers: { Location: null } })
    }
  },
  {
    id: 'CREATE-03',
    title: 'POST with both a known and a deferred length is refused',
    needs,
    async run (t) {
      const response = await t.post({ length: 3, headers: { 'Upload-Defer-Length': '1' } })
      t.expect(response, { status: [400], headers: { Location: null } })
    }
  },
  ...DEFERRED.map((value): Requirement => ({
    id: 'CREATE-04',
    title: `Upload-Defer-Length: ${value} is refused`,
    needs,
    async run (t) {
      const response = await t.post({ headers: { 'Upload-Defer-Length': value } })
      t.expect(response, { status: [400], headers: { Location: null } })
    }
  })),
  {
    id: 'CREATE-05',
    title: 'an upload of length 0 is finished',
    needs,
    async run (t) {
      const upload = await t.create({ length: 0 })
      await t.expectHead(upload, { 'Upload-Offset': '0', 'Upload-Length': '0' })
    }
  },
  {
    id: 'CREATE-06',
    title: 'a length above the maximum is refused, the maximum itself is accepted',
    needs,
    async run (t) {
      const maxSize = t.orSkip(t.features.maxSize, 'no Tus-Max-Size')
      t.expect(await t.post({ length: maxSize + 1 }), { status: [413], headers: { Location: null } })
      await t.create({ length: maxSize })
    }
  },
  ...Object.entries(VIOLATIONS).map(([name, metadata]): Requirement => ({
    id: 'CREATE-07',
    title: `Upload-Metadata with ${name} is refused`,
    needs,
    async run (t) {
      t.expect(await t.post({ length: 3, metadata }), { status: [400], headers: { Location: null } })
    }
  })),
  {
    id: 'CREATE-08',
    title: 'a file name with CR, LF, quotes and non-ASCII letters injects no header',
    needs,
    async run (t) {
      await t.needsDownloads()
      const response = await t.get(await t.finished('abc', { metadata: `filename ${HOSTILE_NAME},filetype ${HOSTILE_TYPE}` }))
      t.expect(response, {
        status: [200],
        headers: { 'X-Injected': null, 'X-Content-Type-Options': 'nosniff', 'Content-Disposition': DISPOSITION }
      })
    }
  },
  {
    id: 'CREATE-09',
    title: 'a refused creation has no Location',
    needs,
    async run (t) {
      const refusals = [{ 'Upload-Length': '-1' }, { 'Upload-Metadata': ',' }, { 'Tus-Resumable': '0.2.2' }]
      for (const headers of refusals) {
        t.expect(await t.post({ length: 3, headers }), { status: ['4xx'], headers: { Location: null } })
      }
    }
  }
]
