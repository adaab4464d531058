import { header, list } from './expectation.ts'
import type { Requirement } from './suite.ts'

const VERSION = { 'Tus-Resumable': '1.0.0' }
const REFUSAL = { status: [412], headers: { 'Tus-Version': /\b1\.0\.0\b/, Location: null } }
const EXTENSIONS = [
  'creation', 'creation-with-upload', 'creation-defer-length', 'expiration', 'checksum', 'checksum-trailer',
  'termination', 'concatenation', 'concatenation-unfinished'
]

/** Versions, OPTIONS, X-HTTP-Method-Override. */
export const core: Requirement[] = [
  {
    id: 'CORE-01',
    title: 'every successful response has Tus-Resumable',
    async run (t) {
      const created = await t.post({ length: 3 })
      const upload = t.located(created)
      t.expect(created, { status: [201], headers: VERSION })
      t.expect(await t.head(upload), { status: [200, 204], headers: VERSION })
      t.expect(await t.patch(upload, 0, 'abc'), { status: [204], headers: VERSION })
    }
  },
  {
    id: 'CORE-01',
    title: 'a response to GET has Tus-Resumable',
    async run (t) {
      const response = await t.get(await t.finished())
      if (response.status === 404 || response.status === 405) t.skip('uploads are not served')
      t.expect(response, { status: [200], headers: VERSION })
    }
  },
  {
    id: 'CORE-01',
    title: 'a response to DELETE has Tus-Resumable',
    needs: ['termination'],
    async run (t) {
      const upload = await t.create({ length: 3 })
      t.expect(await t.delete(upload), { status: [204], headers: VERSION })
      t.expect(await t.delete(upload), { status: ['4xx'], headers: VERSION })
    }
  },
  {
    id: 'CORE-01',
    title: 'every refusal has Tus-Resumable',
    async run (t) {
      const upload = await t.create({ length: 3 })
      for (const response of [
        await t.head(t.unknown),
        await t.patch(t.unknown, 0, 'abc'),
        await t.patch(upload, 1, 'bc'),
        await t.patch(upload, 0, 'abcd'),
        await t.patch(upload, 0, 'abc', { headers: { 'Content-Type': 'text/plain' } }),
        await t.patch(upload, 0, 'abc', { headers: { 'Tus-Resumable': '0.2.2' } }),
        await t.send('POST', t.endpoint)
      ]) {
        // Other requirements check the status.
        t.expect(response, { status: ['4xx', '2xx', '5xx'], headers: VERSION })
      }
    }
  },
  {
    id: 'CORE-01',
    title: 'a refusal by the router has Tus-Resumable',
    async run (t) {
      const upload = await t.create({ length: 3 })
      const refusal = { status: ['4xx' as const], headers: VERSION }
      t.expect(await t.send('PUT', upload), refusal)
      t.expect(await t.send('PATCH', t.endpoint), refusal)
      t.expect(await t.send('POST', upload), refusal)
    }
  },
  ...[null, '0.2.2'].flatMap((version): Requirement[] => {
    const id = version === null ? 'CORE-02' : 'CORE-03'
    const headers = { 'Tus-Resumable': version }
    return [
      {
        id,
        title: `PATCH ${withVersion(version)} is refused with the supported versions and stores nothing`,
        async run (t) {
          const upload = await t.create({ length: 3 })
          t.expect(await t.patch(upload, 0, 'abc', { headers }), REFUSAL)
          await t.expectOffset(upload, 0)
        }
      },
      {
        id,
        title: `HEAD ${withVersion(version)} is refused with the supported versions`,
        async run (t) {
          t.expect(await t.head(await t.create({ length: 3 }), { headers }), REFUSAL)
        }
      },
      {
        id,
        title: `DELETE ${withVersion(version)} is refused with the supported versions and deletes nothing`,
        needs: ['termination'],
        async run (t) {
          const upload = await t.create({ length: 3 })
          t.expect(await t.delete(upload, { headers }), REFUSAL)
          await t.expectOffset(upload, 0)
        }
      }
    ]
  }),
  ...[null, '0.2.2', '2.0.0', '1.0', '1.0.0-beta', '01.0.0', ''].map((version): Requirement => ({
    id: version === null ? 'CORE-02' : 'CORE-03',
    title: `POST ${withVersion(version)} is refused with the supported versions and creates nothing`,
    needs: ['creation'],
    async run (t) {
      t.expect(await t.post({ length: 3, headers: { 'Tus-Resumable': version } }), REFUSAL)
    }
  })),
  {
    id: 'CORE-04',
    title: 'OPTIONS lists the supported versions',
    async run (t) {
      const response = await t.send('OPTIONS', t.endpoint, { headers: { 'Tus-Resumable': null } })
      t.expect(response, { status: [204, 200], headers: { 'Tus-Version': /^\d+\.\d+\.\d+( *, *\d+\.\d+\.\d+)*$/ } })
      t.check(list(response, 'tus-version').includes('1.0.0'), 'Tus-Version with 1.0.0', response)
    }
  },
  {
    id: 'CORE-05',
    title: 'OPTIONS ignores the version of the request',
    async run (t) {
      const response = await t.send('OPTIONS', t.endpoint, { headers: { 'Tus-Resumable': '9.9.9' } })
      t.expect(response, { status: [204, 200], headers: { 'Tus-Version': /\b1\.0\.0\b/ } })
    }
  },
  {
    id: 'CORE-06',
    title: 'OPTIONS on the creation URL returns 204 or 200',
    async run (t) {
      const response = await t.send('OPTIONS', t.endpoint, { headers: { 'Tus-Resumable': null } })
      t.expect(response, { status: [204, 200], headers: { 'Tus-Version': /./, ...VERSION } })
    }
  },
  {
    id: 'CORE-06',
    title: 'OPTIONS on an upload URL returns the same',
    choice: true,
    async run (t) {
      const upload = await t.create({ length: 3 })
      for (const target of [upload, t.unknown]) {
        const response = await t.send('OPTIONS', target, { headers: { 'Tus-Resumable': null } })
        t.expect(response, { status: [204, 200], headers: { 'Tus-Version': /./, ...VERSION } })
      }
    }
  },
  {
    id: 'CORE-07',
    title: 'Tus-Extension lists only extensions of the protocol and is absent if there are none',
    async run (t) {
      const { options, extensions } = t.features
      const known = extensions.every(extension => EXTENSIONS.includes(extension))
      t.check(known, `Tus-Extension with only ${EXTENSIONS.join(', ')}`, options)
      t.check(header(options, 'tus-extension') !== '', 'no empty Tus-Extension', options)
    }
  },
  {
    id: 'CORE-07',
    title: 'headers of an extension that the server does not offer are ignored',
    choice: true,
    async run (t) {
      const { extensions } = t.features
      if (!extensions.includes('concatenation')) {
        t.located(await t.post({ length: 3, headers: { 'Upload-Concat': 'partial' } }))
      }
      if (!extensions.includes('creation-defer-length')) {
        t.located(await t.post({ length: 3, headers: { 'Upload-Defer-Length': '1' } }))
      }
      if (!extensions.includes('checksum')) {
        const headers = { 'Upload-Checksum': 'sha1 AAAAAAAAAAAAAAAAAAAAAAAAAAA=' }
        t.expectAppended(await t.patch(await t.create({ length: 3 }), 0, 'abc', { headers }), 3)
      }
    }
  },
  {
    id: 'CORE-08',
    title: 'Tus-Max-Size is a number of bytes',
    async run (t) {
      if (t.features.maxSize === undefined) t.skip('no Tus-Max-Size')
      t.expect(t.features.options, { status: [204, 200], headers: { 'Tus-Max-Size': /^\d+$/ } })
    }
  },
  ...['POST', 'PUT'].map((method): Requirement => ({
    id: 'CORE-09',
    title: `${method} with X-HTTP-Method-Override: PATCH appends`,
    async run (t) {
      const upload = await t.create({ length: 3 })
      const headers = {
        'X-HTTP-Method-Override': 'PATCH', 'Upload-Offset': '0', 'Content-Type': 'application/offset+octet-stream'
      }
      t.expectAppended(await t.send(method, upload, { headers, body: 'abc' }), 3)
    }
  })),
  {
    id: 'CORE-09',
    title: 'GET with X-HTTP-Method-Override: HEAD returns the offset',
    async run (t) {
      const response = await t.get(await t.create({ length: 3 }), { headers: { 'X-HTTP-Method-Override': 'HEAD' } })
      t.expect(response, { status: [200, 204], headers: { 'Upload-Offset': '0', 'Upload-Length': '3' } })
    }
  },
  {
    id: 'CORE-09',
    title: 'POST with X-HTTP-Method-Override: DELETE deletes',
    needs: ['termination'],
    async run (t) {
      const upload = await t.create({ length: 3 })
      t.expect(await t.send('POST', upload, { headers: { 'X-HTTP-Method-Override': 'DELETE' } }), { status: [204] })
      t.expect(await t.head(upload), { status: [404, 410] })
    }
  },
  {
    id: 'CORE-10',
    title: 'an unsupported method is refused with the supported ones in Allow',
    async run (t) {
      const upload = await t.create({ length: 3 })
      t.expect(await t.send('PUT', upload), { status: [405], headers: { Allow: /\bPATCH\b/ } })
      t.expect(await t.send('PATCH', t.endpoint), { status: [405], headers: { Allow: /\bPOST\b/ } })
    }
  },
  {
    id: 'CORE-11',
    title: 'PATCH without Upload-Offset is refused',
    async run (t) {
      const upload = await t.create({ length: 3 })
      t.expect(await t.patch(upload, 0, 'abc', { headers: { 'Upload-Offset': null } }), { status: [400] })
      await t.expectOffset(upload, 0)
    }
  },
  {
    id: 'CORE-11',
    title: 'an Upload-Length that is not a number is refused',
    async run (t) {
      t.expect(await t.post({ length: 3, headers: { 'Upload-Length': 'many' } }), { status: [400] })
    }
  }
]

function withVersion (version: string | null): string {
  if (version === null) return 'without a version'
  return version === '' ? 'with an empty version' : `with version ${version}`
}
