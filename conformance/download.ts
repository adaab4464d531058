import { header } from './expectation.ts'
import type { Requirement } from './suite.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')

const ACTIVE_TYPES = ['text/html', 'image/svg+xml', 'application/xhtml+xml', 'text/html; charset=utf-8', 'x/y']

/** GET. The protocol does not cover it: these are precautions for servers that serve files to browsers. */
export const download: Requirement[] = [
  {
    id: 'EDGE-82',
    title: 'an unfinished upload is not served',
    async run (t) {
      await t.needsDownloads()
      const growing = await t.create({ length: 6 })
      await t.patch(growing, 0, 'abc')
      const part = await t.get(growing, { headers: { Range: 'bytes=0-0' } })
      // Content-Range has the final length, so no client mistakes the part for a complete file.
      if (header(part, 'content-range') === 'bytes 0-0/6') t.skip('the server serves unfinished uploads')
      const upload = await t.create({ length: 6 })
      const headers = { 'Tus-Resumable': null }
      t.expect(await t.get(upload, { headers }), { status: [404, 403, 409] })
      await t.patch(upload, 0, 'abc')
      t.expect(await t.get(upload, { headers }), { status: [404, 403, 409] })
    }
  },
  {
    id: 'EDGE-82',
    title: 'a finished upload is served completely, with its name and nosniff',
    async run (t) {
      await t.needsDownloads()
      const upload = await t.finished('abcdef', { metadata: `filename ${base64('a b.txt')},filetype ${base64('text/plain')}` })
      const response = await t.get(upload)
      t.expect(response, {
        status: [200],
        headers: { 'X-Content-Type-Options': 'nosniff', 'Content-Disposition': /filename=/ },
        strictly: { 'Content-Length': '6' },
        body: Buffer.from('abcdef')
      })
    }
  },
  {
    id: 'EDGE-82',
    title: 'a download needs no Tus-Resumable',
    async run (t) {
      await t.needsDownloads()
      const response = await t.get(await t.finished('abcdef'), { headers: { 'Tus-Resumable': null } })
      t.expect(response, { status: [200], body: Buffer.from('abcdef') })
    }
  },
  ...ACTIVE_TYPES.map((type): Requirement => ({
    id: 'EDGE-82',
    title: `a file of type ${type} is served as an attachment`,
    async run (t) {
      await t.needsDownloads()
      const upload = await t.finished('<script>', { metadata: `filename ${base64('a.html')},filetype ${base64(type)}` })
      const response = await t.get(upload)
      t.expect(response, {
        status: [200], headers: { 'X-Content-Type-Options': 'nosniff', 'Content-Disposition': /^attachment/ }
      })
    }
  })),
  {
    id: 'EDGE-82',
    title: 'a non-ASCII file name is sent as filename*',
    async run (t) {
      await t.needsDownloads()
      const upload = await t.finished('abc', { metadata: `filename ${base64('\u00fcber \u4e2d\u6587.txt')}` })
      const response = await t.get(upload)
      t.expect(response, {
        status: [200], headers: { 'Content-Disposition': /filename\*=UTF-8''%C3%BCber%20%E4%B8%AD%E6%96%87\.txt/i }
      })
    }
  },
  {
    id: 'EDGE-83',
    title: 'a range request returns the range or the complete file',
    async run (t) {
      await t.needsDownloads()
      const upload = await t.finished('abcdef')
      const response = await t.get(upload, { headers: { Range: 'bytes=2-3' } })
      t.check(response.status === 206 || response.status === 200, '206 or 200', response)
      if (response.status === 200) return t.expect(response, { status: [200], body: Buffer.from('abcdef') })
      t.expect(response, { status: [206], headers: { 'Content-Range': 'bytes 2-3/6' }, body: Buffer.from('cd') })
    }
  },
  {
    id: 'EDGE-83',
    title: 'a range beyond the end returns 416 or the complete file',
    async run (t) {
      await t.needsDownloads()
      const upload = await t.finished('abcdef')
      for (const range of ['bytes=6-', 'bytes=100-200']) {
        const response = await t.get(upload, { headers: { Range: range } })
        t.check(response.status === 416 || response.status === 200, '416 or 200', response)
        if (response.status === 416) t.expect(response, { status: [416], headers: { 'Content-Range': 'bytes */6' } })
      }
    }
  },
  {
    id: 'EDGE-83',
    title: 'a malformed range returns 416 or the complete file, an unknown unit the complete file',
    async run (t) {
      await t.needsDownloads()
      const upload = await t.finished('abcdef')
      for (const range of ['bytes=b-a', 'bytes=3-2', 'bytes', 'lines=1-2']) {
        const response = await t.get(upload, { headers: { Range: range } })
        if (response.status === 416 && range.startsWith('bytes') && !t.strict) continue
        t.expect(response, { status: [200], body: Buffer.from('abcdef') })
      }
    }
  },
  {
    id: 'EDGE-83',
    title: 'If-None-Match returns 304 for the current ETag and the file for another one',
    async run (t) {
      await t.needsDownloads()
      const upload = await t.finished('abcdef')
      const etag = header(await t.get(upload), 'etag')
      if (etag !== undefined) t.expect(await t.get(upload, { headers: { 'If-None-Match': etag } }), { status: [304] })
      const response = await t.get(upload, { headers: { 'If-None-Match': '"other"' } })
      t.expect(response, { status: [200], body: Buffer.from('abcdef') })
    }
  }
]
